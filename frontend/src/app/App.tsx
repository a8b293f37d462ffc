import { Component, lazy, Suspense, useCallback, useEffect, useMemo, useState, type ComponentType, type ReactNode } from "react";
import { ApiError, api, onSignedOut } from "../api/client";
import type { Me } from "../api/types";
import { loadLanguage, useT } from "../i18n";
import { live } from "../live/hooks";
import { Button } from "../ui/Button";
import { Empty, Notice, Waiting } from "../ui/Notice";
import { PageHeader } from "../ui/Page";
import { clearToasts } from "../ui/Toasts";
import { Link } from "./Link";
import { usePreferences } from "./preferences";
import { usePath } from "./router";
import { mayAct, SessionContext, type Session } from "./session";
import { Shell } from "./Shell";

// Each page is a file of its own, loaded when it is first shown.
const loaders = {
  signIn: () => import("../pages/signin/SignInPage"),
  overview: () => import("../pages/overview/OverviewPage"),
  plants: () => import("../pages/plant/PlantPage"),
  devices: () => import("../pages/devices/DevicesPage"),
  alerts: () => import("../pages/alerts/AlertsPage"),
  room: () => import("../pages/room/RoomPage"),
  settings: () => import("../pages/settings/SettingsPage"),
};
const SignInPage = lazy(loaders.signIn);
const OverviewPage = lazy(loaders.overview);
const PlantPage = lazy<ComponentType<{ id: string }>>(loaders.plants);
const DevicesPage = lazy(loaders.devices);
const AlertsPage = lazy(loaders.alerts);
const RoomPage = lazy(loaders.room);
const SettingsPage = lazy<ComponentType<{ tab: string }>>(loaders.settings);

let firstAnswer: Promise<Me> | null = null;

/** Asks for what the first page needs before there is anything to draw: all at once, not one after the other. */
export function prepare(): void {
  firstAnswer = api<Me>("GET", "/auth/me");
  // Whoever draws will see it fail, and say so.
  firstAnswer.catch(() => undefined);
  const name = window.location.pathname.split("/")[1] || "overview";
  const load = Object.entries(loaders).find(([page]) => page === name)?.[1];
  load?.().catch(() => undefined);
}

/** Whoever is signed in: unknown at first. */
type Presence = { kind: "asking" } | { kind: "unreachable" } | { kind: "out"; hasExpired: boolean } | { kind: "in"; me: Me };

export function App(): JSX.Element {
  const { language } = usePreferences();
  const [presence, setPresence] = useState<Presence>({ kind: "asking" });
  useEffect(() => void loadLanguage(language), [language]);

  const ask = useCallback(async () => {
    try {
      const answer = firstAnswer ?? api<Me>("GET", "/auth/me");
      firstAnswer = null;
      const me = await answer;
      setPresence((old) => old.kind === "in" && JSON.stringify(old.me) === JSON.stringify(me) ? old : { kind: "in", me });
    } catch (error) {
      const isOut = error instanceof ApiError && error.status === 401;
      setPresence((old) => {
        // That a session is over is told apart (below); that nobody answers, by the live store.
        if (old.kind === "in" || old.kind === "out") return old;
        return isOut ? { kind: "out", hasExpired: false } : { kind: "unreachable" };
      });
    }
  }, []);
  useEffect(() => void ask(), [ask]);
  useEffect(() => onSignedOut(() => {
    setPresence((old) => old.kind === "in" ? { kind: "out", hasExpired: true } : old);
  }), []);
  useEffect(() => {
    if (presence.kind !== "unreachable") return;
    const timer = setInterval(() => void ask(), 5_000);
    return () => clearInterval(timer);
  }, [presence.kind, ask]);

  // Tabs share one session: somebody else may have signed in, or got another role, while nobody looked at this one.
  useEffect(() => {
    const look = (): void => {
      if (document.visibilityState === "visible") void ask();
    };
    document.addEventListener("visibilitychange", look);
    return () => document.removeEventListener("visibilitychange", look);
  }, [ask]);

  const me = presence.kind === "in" ? presence.me : null;
  const identity = me === null ? null : `${me.id ?? ""} ${me.role}`;
  useEffect(() => {
    if (identity === null) return;
    live.start();
    return () => {
      live.stop();
      clearToasts();
    };
  }, [identity]);

  const session = useMemo<Session | null>(() => me && {
    me,
    may: (role) => mayAct(me, role),
    refresh: ask,
    signOut: async () => {
      await api("POST", "/auth/logout");
      setPresence({ kind: "out", hasExpired: false });
    },
  }, [me, ask]);

  if (presence.kind === "asking") return <Waiting />;
  if (presence.kind === "unreachable") return <Unreachable onRetry={() => void ask()} />;
  if (!session) {
    return (
      <Suspense fallback={<Waiting />}>
        <SignInPage hasExpired={presence.kind === "out" && presence.hasExpired}
          onSignedIn={(who) => setPresence({ kind: "in", me: who })} />
      </Suspense>
    );
  }
  return (
    <SessionContext.Provider value={session}>
      {/* What one has opened and typed is not for the next. */}
      <Shell key={identity}>
        <CurrentPage />
      </Shell>
    </SessionContext.Provider>
  );
}

function CurrentPage(): JSX.Element {
  const path = usePath().replace(/\/+$/, "") || "/";
  return (
    // The tabs of the settings are one page; each plant has its own.
    <Fault key={path.startsWith("/settings/") ? "/settings" : path}>
      <Suspense fallback={<Waiting />}>{page(path)}</Suspense>
    </Fault>
  );
}

function page(path: string): JSX.Element {
  const [, first, second, third] = path.split("/");
  if (path === "/") return <OverviewPage />;
  if (first === "plants" && second !== undefined && third === undefined) return <PlantPage key={second} id={second} />;
  if (path === "/devices") return <DevicesPage />;
  if (path === "/alerts") return <AlertsPage />;
  if (path === "/room") return <RoomPage />;
  if (first === "settings" && third === undefined) return <SettingsPage tab={second ?? ""} />;
  return <NotFound />;
}

export function NotFound(): JSX.Element {
  const t = useT();
  return (
    <>
      <PageHeader title={t("app.not_found")} />
      <Empty title={t("app.not_found_text")}>
        <Link className="button button-primary" to="/">{t("app.to_overview")}</Link>
      </Empty>
    </>
  );
}

function Unreachable({ onRetry }: { onRetry: () => void }): JSX.Element {
  const t = useT();
  return (
    <main className="alone">
      <Notice tone="warning" isUrgent>
        <p>{navigator.onLine ? t("live.unreachable") : t("live.offline")}</p>
        <Button icon="refresh" onClick={onRetry}>{t("action.retry")}</Button>
      </Notice>
    </main>
  );
}

/** A fault in one page leaves the others alone. */
class Fault extends Component<{ children: ReactNode }, { hasFailed: boolean }> {
  override state = { hasFailed: false };

  static getDerivedStateFromError(): { hasFailed: boolean } {
    return { hasFailed: true };
  }

  override render(): ReactNode {
    return this.state.hasFailed ? <Failed /> : this.props.children;
  }
}

function Failed(): JSX.Element {
  const t = useT();
  return (
    <>
      <PageHeader title={t("app.failed")} />
      <Notice tone="critical" isUrgent>
        <p>{t("app.failed_text")}</p>
        <Button icon="refresh" onClick={() => window.location.reload()}>{t("app.reload")}</Button>
      </Notice>
    </>
  );
}
