import { useEffect, useRef, type ReactNode } from "react";
import { api } from "../../../api/client";
import { useResource } from "../../../api/useResource";
import type { Health } from "../../../api/types";
import type { IconName } from "../../../drawings/icons";
import { useFormat, useNow } from "../../../format";
import { useT } from "../../../i18n";
import { useLiveSelection } from "../../../live/hooks";
import { Badge } from "../../../ui/Badges";
import { Button } from "../../../ui/Button";
import { Loaded } from "../../../ui/Notice";
import { Card } from "../../../ui/Page";

type Tone = "ok" | "warning" | "critical" | "neutral";
const icons: Record<Tone, IconName> = { ok: "check", warning: "warning", critical: "critical", neutral: "question" };
const overall: Record<Health["status"], Tone> = { healthy: "ok", degraded: "warning", unhealthy: "critical" };
/** From when readings that wait are worth a word. */
const lagSeconds = 10;
const certificateDays = { warning: 30, critical: 7 };

export function HealthCard(): JSX.Element {
  const t = useT();
  const format = useFormat();
  const health = useResource("health", (signal) => api<Health>("GET", "/health", { signal }));
  const { reload } = health;
  // It says what the connection has found out: once when that is lost, and once when it is back.
  const connection = useLiveSelection((state) => state.connection);
  const before = useRef(connection);
  useEffect(() => {
    if (before.current !== connection) reload();
    before.current = connection;
  }, [connection, reload]);
  return (
    <Loaded resource={health}>
      {(value) => (
        <Card title={t("settings.system.health")}
          actions={<Button icon="refresh" busy={health.isLoading} onClick={reload}>{t("settings.reload")}</Button>}>
          <p className="settings-statement">
            <Badge tone={overall[value.status]}
              icon={icons[overall[value.status]]}>{t(`settings.system.${value.status}`)}</Badge>
            {" "}{t(`settings.system.${value.status}_text`)}
          </p>
          <ul className="settings-list"><Components health={value} /></ul>
          <dl className="facts settings-after">
            <dt>{t("settings.system.version")}</dt><dd>{value.version}</dd>
            <dt>{t("settings.system.uptime")}</dt><dd>{format.duration(value.uptime_seconds)}</dd>
            <dt>{t("settings.system.memory")}</dt><dd>{format.bytes(value.memory_bytes)}</dd>
            <dt>{t("settings.system.asked")}</dt><dd>{format.dateTime(value.timestamp)}</dd>
          </dl>
        </Card>
      )}
    </Loaded>
  );
}

function Components({ health: { components } }: { health: Health }): JSX.Element {
  const t = useT();
  const format = useFormat();
  const now = useNow();
  const { database, mqtt, ingest, certificate } = components;
  const isBehind = ingest.lag_seconds >= lagSeconds;
  const days = certificate.days_left;
  const certificateTone: Tone = days === null ? "neutral" : days <= certificateDays.critical ? "critical"
    : days <= certificateDays.warning ? "warning" : "ok";
  return (
    <>
      <Component name={t("settings.system.database")} tone={database.status === "connected" ? "ok" : "critical"}
        state={t(`settings.system.${database.status}`)}>
        {database.status === "connected" ? t("settings.system.database_fine") : database.message}
      </Component>
      <Component name={t("settings.system.broker")} tone={mqtt.status === "connected" ? "ok" : "critical"}
        state={t(`settings.system.${mqtt.status}`)}>
        {mqtt.status === "connected" ? t("settings.system.broker_fine") : mqtt.message}
      </Component>
      <Component name={t("settings.system.ingest")} tone={isBehind ? "warning" : "ok"}
        state={t(isBehind ? "settings.system.behind" : "settings.system.up_to_date")}>
        {ingest.last_commit_at === null ? t("settings.system.no_commit")
          : t("settings.system.last_commit", { time: format.relative(ingest.last_commit_at, now) })}
        {isBehind && ` ${t("settings.system.lag", { duration: format.duration(ingest.lag_seconds) })}`}
      </Component>
      <Component name={t("settings.system.certificate")} tone={certificateTone}
        state={days === null ? t("settings.system.certificate_unknown")
          : days < 0 ? t("settings.system.certificate_over") : t("settings.system.certificate_days", { count: days })}>
        {days !== null && t(days <= certificateDays.warning ? "settings.system.certificate_renew" : "settings.system.certificate_fine")}
      </Component>
    </>
  );
}

function Component({ name, tone, state, children }: { name: string; tone: Tone; state: string; children?: ReactNode }): JSX.Element {
  return (
    <li>
      <div className="settings-item">
        <h3>{name}</h3>
        {children && <p className="small soft">{children}</p>}
      </div>
      <Badge tone={tone} icon={icons[tone]}>{state}</Badge>
    </li>
  );
}
