import type { Message } from "..";
import type { signin as english } from "../en/signin";

export const signin: Record<keyof typeof english, Message> = {
  "signin.title": "Anmelden",
  "signin.lead": "Schön, dass du da bist. Deine Pflanzen warten schon.",
  "signin.expired": "Deine Sitzung ist zu Ende, melde dich neu an.",
  "signin.email": "E-Mail-Adresse",
  "signin.password": "Passwort",
  "signin.show_password": "Passwort zeigen",
  "signin.wrong": "Die E-Mail-Adresse oder das Passwort ist falsch.",
  "signin.too_many": "Zu viele Versuche. Warte ein wenig, dann versuche es noch einmal.",
  "signin.wait": "Wieder in {time}",
  "signin.unreachable": "Der Server ist nicht zu erreichen. Versuche es gleich noch einmal.",
  "signin.help": "Noch kein Konto, oder das Passwort vergessen?",
  "signin.help_admin": "Konten und Passwörter vergibt ein Admin, in den Einstellungen unter Benutzer.",
  "signin.help_first": "Hat noch niemand ein Konto? Das erste entsteht, wenn PlantOps mit ADMIN_EMAIL und ADMIN_PASSWORD startet, oder dort, wo es läuft, mit:",
  "signin.help_password": "Ein neues Passwort, ebenfalls dort:",
};
