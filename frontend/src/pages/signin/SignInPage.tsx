import { useEffect, useRef, useState, type FormEvent } from "react";
import { setPreference, usePreferences } from "../../app/preferences";
import { ApiError, api } from "../../api/client";
import type { Me } from "../../api/types";
import { PlantDrawing } from "../../drawings/PlantDrawing";
import { Icon } from "../../drawings/icons";
import { useFormat } from "../../format";
import { useT } from "../../i18n";
import { Button, IconButton } from "../../ui/Button";
import { Segmented } from "../../ui/Choice";
import { FieldFrame, TextField } from "../../ui/Field";
import { Notice } from "../../ui/Notice";
import { problemText } from "../../ui/form";

type Refusal = { kind: "wrong" } | { kind: "wait"; until: number } | { kind: "unreachable" } | { kind: "other"; error: unknown };

/** Shown at any address while nobody is signed in; whoever signs in is where they wanted to be. */
export default function SignInPage({
  hasExpired, onSignedIn,
}: { hasExpired: boolean; onSignedIn: (me: Me) => void }): JSX.Element {
  const t = useT();
  const { language } = usePreferences();
  useEffect(() => {
    document.title = `${t("signin.title")} · ${t("app.name")}`;
  }, [t]);
  return (
    <main className="signin">
      <div className="signin-card">
        <Scene />
        <div className="signin-side">
          <p className="signin-brand"><Icon name="leaf" /><span>{t("app.name")}</span></p>
          <h1>{t("signin.title")}</h1>
          {hasExpired ? <Notice>{t("signin.expired")}</Notice> : <p className="signin-lead">{t("signin.lead")}</p>}
          <SignInForm onSignedIn={onSignedIn} />
          <details className="signin-help">
            <summary>{t("signin.help")}</summary>
            <p>{t("signin.help_admin")}</p>
            <p>{t("signin.help_first")}</p>
            <pre><code>plantops user create you@example.org --role admin</code></pre>
            <p>{t("signin.help_password")}</p>
            <pre><code>plantops user set-password you@example.org</code></pre>
          </details>
          <Segmented label={t("nav.language")} isLabelHidden value={language} onValue={(value) => setPreference("language", value)}
            options={[{ value: "en", label: "English" }, { value: "de", label: "Deutsch" }]} />
        </div>
      </div>
    </main>
  );
}

function SignInForm({ onSignedIn }: { onSignedIn: (me: Me) => void }): JSX.Element {
  const t = useT();
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [isShown, setShown] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const [missing, setMissing] = useState({ email: false, password: false });
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const form = useRef<HTMLFormElement>(null);

  function focus(name: "email" | "password"): void {
    const field = form.current?.elements.namedItem(name);
    if (!(field instanceof HTMLInputElement)) return;
    field.focus();
    field.select();
  }

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault();
    if (isBusy) return;
    const lacks = { email: email.trim() === "", password: password === "" };
    setMissing(lacks);
    if (lacks.email || lacks.password) {
      setRefusal(null);
      focus(lacks.email ? "email" : "password");
      return;
    }
    setBusy(true);
    // So that the same refusal once more is read out once more.
    setRefusal(null);
    try {
      onSignedIn(await api<Me>("POST", "/auth/login", { body: { email: email.trim(), password } }));
    } catch (error) {
      setRefusal(refusalOf(error));
      setBusy(false);
      if (error instanceof ApiError && error.status === 401) focus("password");
    }
  }

  return (
    <form ref={form} onSubmit={(event) => void submit(event)} noValidate>
      {refusal && <RefusalNotice refusal={refusal} onEnd={() => setRefusal(null)} />}
      <TextField label={t("signin.email")} name="email" type="email" autoComplete="username" inputMode="email" autoCapitalize="none"
        spellCheck={false} autoFocus required maxLength={254} value={email} onValue={setEmail}
        error={missing.email ? t("form.required") : undefined} />
      <FieldFrame label={t("signin.password")} error={missing.password ? t("form.required") : undefined}>
        {(props) => (
          <div className="signin-password">
            <input {...props} name="password" type={isShown ? "text" : "password"} autoComplete="current-password" required
              autoCapitalize="none" spellCheck={false} value={password} onChange={(event) => setPassword(event.target.value)} />
            <IconButton icon={isShown ? "eye-off" : "eye"} label={t("signin.show_password")} aria-pressed={isShown}
              onClick={() => setShown(!isShown)} />
          </div>
        )}
      </FieldFrame>
      <Button type="submit" kind="primary" busy={isBusy} disabled={refusal?.kind === "wait"}>{t("signin.title")}</Button>
    </form>
  );
}

function refusalOf(error: unknown): Refusal {
  if (!(error instanceof ApiError)) return { kind: "other", error };
  if (error.status === 401) return { kind: "wrong" };
  if (error.status === 429) return { kind: "wait", until: Date.now() + (error.retryAfterSeconds ?? 10) * 1000 };
  return error.isUnreachable ? { kind: "unreachable" } : { kind: "other", error };
}

function RefusalNotice({ refusal, onEnd }: { refusal: Refusal; onEnd: () => void }): JSX.Element {
  const t = useT();
  switch (refusal.kind) {
    case "wrong": return <Notice tone="critical" isUrgent>{t("signin.wrong")}</Notice>;
    case "unreachable": return <Notice tone="warning" isUrgent>{t("signin.unreachable")}</Notice>;
    case "other": return <Notice tone="critical" isUrgent>{problemText(refusal.error, t)}</Notice>;
    case "wait": return <WaitNotice until={refusal.until} onEnd={onEnd} />;
  }
}

/** Counts down for the eye; the ear is told once. */
function WaitNotice({ until, onEnd }: { until: number; onEnd: () => void }): JSX.Element {
  const t = useT();
  const format = useFormat();
  const [left, setLeft] = useState(() => until - Date.now());
  const end = useRef(onEnd);
  end.current = onEnd;
  useEffect(() => {
    const timer = setInterval(() => {
      setLeft(until - Date.now());
      if (until <= Date.now()) end.current();
    }, 500);
    return () => clearInterval(timer);
  }, [until]);
  return (
    <>
      <Notice tone="warning" isUrgent>{t("signin.too_many")}</Notice>
      <p className="signin-wait figure" aria-hidden="true">
        <Icon name="clock" />{t("signin.wait", { time: format.duration(Math.max(1, Math.ceil(left / 1000))) })}
      </p>
    </>
  );
}

/** Who waits behind the door. */
function Scene(): JSX.Element {
  return (
    <div className="signin-scene" aria-hidden="true">
      <div className="signin-sun" />
      <div className="signin-plants">
        <PlantDrawing species="Aloe vera" status="ok" seed="b" />
        <PlantDrawing species="Monstera deliciosa" status="ok" seed="pot" lively />
        <PlantDrawing species="Epipremnum aureum" status="ok" seed="c" />
      </div>
      <div className="signin-sill" />
    </div>
  );
}
