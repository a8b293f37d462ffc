import { api } from "../../api/client";
import type { Alert, AlertNotification } from "../../api/types";
import { useResource } from "../../api/useResource";
import { Icon, type IconName } from "../../drawings/icons";
import { useFormat, useNow } from "../../format";
import { useT } from "../../i18n";
import { useLiveEvents } from "../../live/hooks";
import { SeverityBadge } from "../../ui/Badges";
import { Dialog } from "../../ui/Dialog";
import { Loaded } from "../../ui/Notice";
import { useAlertText } from "../../ui/alertText";
import { AlertSubject } from "./AlertSign";

type Told = Alert & { notifications: AlertNotification[] };

/** One alert from its beginning to its end, and whom it was told to. */
export function AlertDialog({ id, onClose }: { id: string; onClose: () => void }): JSX.Element {
  const t = useT();
  const alert = useResource<Told>(`alert ${id}`, (signal) => api("GET", `/alerts/${id}`, { signal }));
  useLiveEvents((event) => {
    if (event.name === "alert" && event.data.includes(id)) alert.reload();
  });
  return (
    <Dialog title={t("alerts.one")} onClose={onClose} wide>
      <Loaded resource={alert}>{(value) => <Details alert={value} />}</Loaded>
    </Dialog>
  );
}

function Details({ alert }: { alert: Told }): JSX.Element {
  const t = useT();
  const text = useAlertText();
  const format = useFormat();
  const now = useNow();
  const ending = text.ending(alert);
  const at = (time: string): JSX.Element => (
    <time dateTime={time}>{format.dateTime(time)} <span className="soft">({format.relative(time, now)})</span></time>
  );
  return (
    <div className="alert-details">
      <p className="alert-details-what"><AlertSubject alert={alert} />: {text.what(alert)}</p>
      <dl className="facts">
        <dt>{t("alerts.severity")}</dt>
        <dd><SeverityBadge severity={alert.severity} /></dd>
        <dt>{t("alerts.kind")}</dt>
        <dd>{t(`alert.kind.${alert.kind}`)}</dd>
        {alert.plant_name !== null && alert.kind !== "threshold" && (
          <>
            <dt>{t("alerts.plant")}</dt>
            <dd>{alert.plant_name}</dd>
          </>
        )}
        {alert.device_name !== null && alert.kind === "threshold" && (
          <>
            <dt>{t("alerts.device")}</dt>
            <dd>{alert.device_name}</dd>
          </>
        )}
        <dt>{t("alerts.began")}</dt>
        <dd>{at(alert.started_at)}</dd>
        {alert.fired_at !== null && (
          <>
            <dt>{t("alerts.fired")}</dt>
            <dd>{at(alert.fired_at)}</dd>
          </>
        )}
        {alert.acknowledged_at !== null && (
          <>
            <dt>{t("alerts.seen_to")}</dt>
            <dd>{at(alert.acknowledged_at)}{alert.acknowledged_by !== null && <> {alert.acknowledged_by}</>}</dd>
          </>
        )}
        {alert.resolved_at !== null && (
          <>
            <dt>{t("alerts.ended")}</dt>
            <dd>{at(alert.resolved_at)}{ending !== null && `: ${ending}`}</dd>
          </>
        )}
        <dt>{t("alerts.duration")}</dt>
        <dd>{format.duration(alert.duration_seconds)}</dd>
      </dl>
      <h3>{t("alerts.told")}</h3>
      {alert.notifications.length === 0 ? <p className="soft">{t("alerts.told_nobody")}</p> : (
        <ul className="alert-told">
          {alert.notifications.map((one) => (
            <Notification key={`${one.channel_id} ${one.event} ${one.at}`} notification={one} />
          ))}
        </ul>
      )}
    </div>
  );
}

const signs: Record<AlertNotification["state"], [tone: string, icon: IconName]> = {
  waiting: ["neutral", "clock"], sent: ["ok", "check"], failed: ["critical", "critical"], cancelled: ["stale", "close"],
  skipped: ["stale", "bell-off"],
};

function Notification({ notification }: { notification: AlertNotification }): JSX.Element {
  const t = useT();
  const format = useFormat();
  const [tone, icon] = signs[notification.state];
  return (
    <li>
      <div>
        <strong>{notification.channel}</strong> <span>{t(`alerts.event_${notification.event}`)}</span>
        {notification.error !== null && <p className="alert-told-error">{notification.error}</p>}
      </div>
      <div>
        <span className={`badge badge-${tone}`}><Icon name={icon} />{t(`alerts.told_${notification.state}`)}</span>
        <time className="soft small" dateTime={notification.sent_at ?? notification.at}>
          {format.dateTime(notification.sent_at ?? notification.at)}
        </time>
        {notification.attempts > 1 && (
          <span className="soft small">{t("alerts.attempts", { count: notification.attempts })}</span>
        )}
      </div>
    </li>
  );
}
