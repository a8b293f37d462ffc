import { useEffect, useRef, useState } from "react";
import { Link } from "../../app/Link";
import { useSession } from "../../app/session";
import type { Alert } from "../../api/types";
import { Icon } from "../../drawings/icons";
import { useFormat, useNow } from "../../format";
import { useT } from "../../i18n";
import { usePlant } from "../../live/hooks";
import { SeverityBadge } from "../../ui/Badges";
import { Button } from "../../ui/Button";
import { toast } from "../../ui/Toasts";
import { useAlertText } from "../../ui/alertText";
import { problemText } from "../../ui/form";
import { acknowledge, mayAcknowledge } from "./acknowledge";
import { alertPath, AlertSign, AlertSubject } from "./AlertSign";
import { SnoozeDialog } from "../../ui/SnoozeDialog";

/** An alert that fires: what, since when, who has seen to it, and what one can do. */
export function OpenAlert({ alert }: { alert: Alert }): JSX.Element {
  const t = useT();
  const text = useAlertText();
  const format = useFormat();
  const now = useNow();
  const { me, may } = useSession();
  const plant = usePlant(alert.plant_id ?? "");
  const [isSnoozing, setSnoozing] = useState(false);
  const isSnoozed = plant?.snoozed_until != null && Date.parse(plant.snoozed_until) > now;

  const item = useRef<HTMLLIElement>(null);
  const wasPressed = useRef(false);
  // The button goes, and the alert takes another place in the list: whoever uses the keyboard stays with it.
  useEffect(() => {
    if (wasPressed.current) item.current?.querySelector<HTMLElement>(".open-alert-actions a")?.focus();
    wasPressed.current = false;
  }, [alert.acknowledged_at]);

  function confirm(): void {
    wasPressed.current = true;
    acknowledge(alert, me.email).catch((error: unknown) => {
      toast(t("alerts.not_acknowledged", { what: text.sentence(alert), why: problemText(error, t) }), "critical");
    });
  }
  return (
    <li ref={item} className={`open-alert open-alert-${alert.severity}`} data-acknowledged={alert.acknowledged_at !== null}>
      <AlertSign alert={alert} />
      <div className="open-alert-text">
        <h3><AlertSubject alert={alert} /></h3>
        <p className="open-alert-what">{text.what(alert)}</p>
        <p className="open-alert-meta">
          <SeverityBadge severity={alert.severity} />
          <time dateTime={alert.started_at} title={format.dateTime(alert.started_at)}>
            {t("alerts.since", { time: format.relative(alert.started_at, now) })}
          </time>
          {alert.kind === "threshold" && plant?.room != null && <span>{plant.room}</span>}
          {alert.kind !== "threshold" && plant && <Link to={`/plants/${plant.id}`}>{plant.name}</Link>}
        </p>
        {alert.acknowledged_at !== null && (
          <p className="open-alert-seen">
            <Icon name="check" />
            {t(alert.acknowledged_by === null ? "alerts.acknowledged" : "alerts.acknowledged_by", {
              who: alert.acknowledged_by ?? "", time: format.relative(alert.acknowledged_at, now),
            })}
          </p>
        )}
        {plant && isSnoozed && (
          <p className="open-alert-seen">
            <Icon name="snooze" />{t("snooze.until", { time: format.dateTime(plant.snoozed_until ?? "") })}
          </p>
        )}
      </div>
      <div className="open-alert-actions">
        {may("member") && mayAcknowledge(alert) && (
          <Button kind="primary" icon="check" onClick={confirm}
            aria-label={t("alerts.acknowledge_what", { what: text.sentence(alert) })}>
            {t("alerts.acknowledge")}
          </Button>
        )}
        {may("member") && plant && (
          <Button icon="snooze" onClick={() => setSnoozing(true)}
            aria-label={t("snooze.plant", { name: plant.name })}>
            {t("alerts.snooze")}
          </Button>
        )}
        <Link className="button button-quiet" to={alertPath(alert.id)}
          aria-label={t("alerts.details_of", { what: text.sentence(alert) })}>
          {t("alerts.details")}
        </Link>
      </div>
      {isSnoozing && plant && <SnoozeDialog plant={plant} onClose={() => setSnoozing(false)} />}
    </li>
  );
}

/** One that may fire soon, if it stays like this. */
export function PendingAlert({ alert }: { alert: Alert }): JSX.Element {
  const t = useT();
  const text = useAlertText();
  const format = useFormat();
  const now = useNow();
  return (
    <li className="pending-alert">
      <AlertSign alert={alert} />
      <p>
        <AlertSubject alert={alert} />: {text.what(alert)}
        <time className="soft small" dateTime={alert.started_at} title={format.dateTime(alert.started_at)}>
          {" "}{t("alerts.since", { time: format.relative(alert.started_at, now) })}
        </time>
      </p>
    </li>
  );
}
