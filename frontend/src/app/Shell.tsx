import { useState, type ReactNode } from "react";
import { Icon, type IconName } from "../drawings/icons";
import { useFormat } from "../format";
import { useT, type MessageKey } from "../i18n";
import { useLive, useLiveSelection } from "../live/hooks";
import { Notice } from "../ui/Notice";
import { Toasts } from "../ui/Toasts";
import { AccountDialog } from "./AccountDialog";
import { Link } from "./Link";
import { ServiceWorkerNotice } from "./ServiceWorkerNotice";
import { useOnline } from "./offline";
import { usePath } from "./router";

const pages: readonly { to: string; label: MessageKey; icon: IconName }[] = [
  { to: "/", label: "nav.overview", icon: "leaf" },
  { to: "/room", label: "nav.room", icon: "room" },
  { to: "/devices", label: "nav.devices", icon: "device" },
  { to: "/alerts", label: "nav.alerts", icon: "bell" },
  { to: "/settings", label: "nav.settings", icon: "settings" },
];

/** What is around every page: where one is, how the connection is, and who is signed in. */
export function Shell({ children }: { children: ReactNode }): JSX.Element {
  const t = useT();
  const [isAccountOpen, setAccountOpen] = useState(false);
  return (
    <div className="shell">
      <a className="skip-link" href="#content">{t("app.skip")}</a>
      <header className="top-bar">
        <Link className="brand" to="/">
          <Icon name="leaf" />
          <span>{t("app.name")}</span>
        </Link>
        <Navigation />
        <div className="top-end">
          <ConnectionSign />
          <button type="button" className="icon-button" aria-label={t("nav.account")} title={t("nav.account")}
            aria-haspopup="dialog" onClick={() => setAccountOpen(true)}>
            <Icon name="user" />
          </button>
        </div>
      </header>
      <ConnectionNotice />
      <ServiceWorkerNotice ready={t("app.update")} reload={t("app.reload")} />
      <main id="content" tabIndex={-1}>{children}</main>
      <Toasts />
      {isAccountOpen && <AccountDialog onClose={() => setAccountOpen(false)} />}
    </div>
  );
}

function Navigation(): JSX.Element {
  const t = useT();
  const path = usePath();
  const firing = useLiveSelection((state) => state.alerts.filter((alert) => alert.state === "firing").length);
  const isCurrent = (to: string): boolean =>
    to === "/" ? path === "/" || path.startsWith("/plants/") : path === to || path.startsWith(`${to}/`);
  return (
    <nav className="navigation" aria-label={t("nav.label")}>
      {pages.map(({ to, label, icon }) => (
        <Link key={to} to={to} aria-current={isCurrent(to) ? "page" : undefined}>
          <Icon name={icon} />
          <span>{t(label)}</span>
          {to === "/alerts" && firing > 0 && (
            <span className="count">
              <span aria-hidden="true">{firing > 99 ? "99+" : firing}</span>
              <span className="visually-hidden">{t("nav.open_alerts", { count: firing })}</span>
            </span>
          )}
        </Link>
      ))}
    </nav>
  );
}

function ConnectionSign(): JSX.Element {
  const t = useT();
  const connection = useLiveSelection((state) => state.connection);
  return (
    <span className={`connection connection-${connection}`} role="status">
      <Icon name={connection === "lost" ? "offline" : "signal"} />
      <span>{t(`live.${connection}`)}</span>
    </span>
  );
}

function ConnectionNotice(): JSX.Element | null {
  const t = useT();
  const format = useFormat();
  const isOnline = useOnline();
  const { connection, lostAt, phase } = useLive();
  if (isOnline && (connection !== "lost" || lostAt === null) && phase !== "failed") return null;
  return (
    <div className="connection-notice">
      <Notice tone="warning">
        {!isOnline ? t("live.offline")
          : phase === "ready" && lostAt !== null ? t("live.lost_since", { time: format.time(lostAt) })
          : t("live.unreachable")}
      </Notice>
    </div>
  );
}
