import { useState } from "react";
import { api } from "../../api/client";
import type { Alert, Plant } from "../../api/types";
import { Link } from "../../app/Link";
import { useSession } from "../../app/session";
import { useFormat, useNow } from "../../format";
import { useT } from "../../i18n";
import { live, useOpenAlerts } from "../../live/hooks";
import { useAlertText } from "../../ui/alertText";
import { Badge, SeverityBadge } from "../../ui/Badges";
import { Button } from "../../ui/Button";
import { problemText } from "../../ui/form";
import { Card } from "../../ui/Page";
import { toast } from "../../ui/Toasts";

/** What is wrong right now, and that somebody has seen it. */
export function OpenAlerts({ plant }: { plant: Plant }): JSX.Element | null {
  const t = useT();
  const alerts = useOpenAlerts().filter((alert) => alert.plant_id === plant.id);
  if (alerts.length === 0) return null;
  return (
    <Card title={t("plant.open_alerts")} className="plant-open-alerts"
      actions={<Link to={`/alerts?plant=${plant.id}`}>{t("plant.all_alerts")}</Link>}>
      <ul className="plain-list">{alerts.map((alert) => <OpenAlert key={alert.id} alert={alert} />)}</ul>
    </Card>
  );
}

function OpenAlert({ alert }: { alert: Alert }): JSX.Element {
  const t = useT();
  const format = useFormat();
  const { what } = useAlertText();
  const now = useNow();
  const session = useSession();
  const [isBusy, setBusy] = useState(false);
  async function acknowledge(): Promise<void> {
    setBusy(true);
    try {
      live.putAlert(await api<Alert>("POST", `/alerts/${alert.id}/acknowledge`));
    } catch (error) {
      toast(problemText(error, t), "critical");
    } finally {
      setBusy(false);
    }
  }
  const isPending = alert.state === "pending";
  return (
    <li className="plant-open-alert">
      {isPending ? <Badge tone="neutral" icon="clock">{t("plant.alert.pending")}</Badge> : <SeverityBadge severity={alert.severity} />}
      <div className="plant-open-alert-text">
        <strong>{what(alert)}</strong>
        <span className="soft small">
          {t("plant.alert.since", { time: format.relative(alert.fired_at ?? alert.started_at, now) })}
          {alert.acknowledged_at !== null && ` · ${alert.acknowledged_by === null
            ? t("alerts.acknowledged", { time: format.relative(alert.acknowledged_at, now) })
            : t("plant.alert.seen", { who: alert.acknowledged_by, time: format.relative(alert.acknowledged_at, now) })}`}
        </span>
      </div>
      {!isPending && alert.acknowledged_at === null && session.may("member") && (
        <Button icon="check" busy={isBusy} onClick={() => void acknowledge()}>{t("plant.acknowledge")}</Button>
      )}
    </li>
  );
}
