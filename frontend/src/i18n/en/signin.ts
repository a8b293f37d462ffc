/** The page for whoever is not signed in. */
export const signin = {
  "signin.title": "Sign in",
  "signin.lead": "Good to see you. Your plants are waiting.",
  "signin.expired": "Your session has ended, sign in again.",
  "signin.email": "E-mail address",
  "signin.password": "Password",
  "signin.show_password": "Show the password",
  "signin.wrong": "The e-mail address or the password is wrong.",
  "signin.too_many": "Too many tries. Wait a little, then try again.",
  "signin.wait": "Again in {time}",
  "signin.unreachable": "The server cannot be reached. Try again in a moment.",
  "signin.help": "No account yet, or the password forgotten?",
  "signin.help_admin": "An admin makes accounts and sets passwords, in the settings under Users.",
  "signin.help_first": "Does nobody have an account yet? The first is made when PlantOps starts with ADMIN_EMAIL and ADMIN_PASSWORD, or where it runs:",
  "signin.help_password": "A new password, also where it runs:",
} as const;
