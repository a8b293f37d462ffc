import { useState } from "react";
import type { Plant } from "../../api/types";
import { useSession } from "../../app/session";
import { PlantDrawing } from "../../drawings/PlantDrawing";
import { Icon } from "../../drawings/icons";
import { useFormat, useNow } from "../../format";
import { useT } from "../../i18n";
import { useOpenAlerts } from "../../live/hooks";
import { useAlertText } from "../../ui/alertText";
import { StatusBadge } from "../../ui/Badges";
import { Button } from "../../ui/Button";
import { PageHeader } from "../../ui/Page";
import { DeletePlantDialog } from "./DeletePlantDialog";
import { EditPlantDialog } from "./EditPlantDialog";
import { SnoozeDialog } from "../../ui/SnoozeDialog";
import { statusReasons } from "./words";

type Opened = "edit" | "delete" | "snooze" | null;

/** Which plant this is, how it is and why. */
export function PlantHead({ plant }: { plant: Plant }): JSX.Element {
  const t = useT();
  const format = useFormat();
  const now = useNow();
  const session = useSession();
  const { what } = useAlertText();
  const alerts = useOpenAlerts().filter((alert) => alert.plant_id === plant.id && alert.state === "firing");
  const [opened, setOpened] = useState<Opened>(null);
  const reasons = statusReasons(plant, alerts.map(what), format, t);
  const isSnoozed = plant.snoozed_until !== null && Date.parse(plant.snoozed_until) > now;
  return (
    <div className="plant-head">
      <div className="plant-portrait">
        <PlantDrawing species={plant.species} status={plant.status} seed={plant.id} size={132} lively />
      </div>
      <div className="plant-about">
        <PageHeader title={plant.name}
          lead={(
            <p className="plant-place">
              {plant.species && <em>{plant.species}</em>}
              <span><Icon name="room" />{plant.room ?? t("plant.no_room")}</span>
            </p>
          )}>
          {session.may("member") && (
            <>
              <Button icon={isSnoozed ? "bell-off" : "snooze"} aria-haspopup="dialog" onClick={() => setOpened("snooze")}>
                {t("plant.snooze")}
              </Button>
              <Button icon="pencil" aria-haspopup="dialog" onClick={() => setOpened("edit")}>{t("action.edit")}</Button>
              <Button kind="danger" icon="trash" aria-haspopup="dialog" onClick={() => setOpened("delete")}>
                {t("action.delete")}
              </Button>
            </>
          )}
        </PageHeader>
        <div className="plant-status">
          <StatusBadge status={plant.status} />
          <ul className="plant-reasons">{reasons.map((reason) => <li key={reason}>{reason}</li>)}</ul>
        </div>
        <p className="plant-times soft small">
          <span><Icon name="clock" />
            {plant.latest_telemetry
              ? t("plant.last_reading", { time: format.relative(plant.latest_telemetry.timestamp, now) })
              : t("plant.no_reading")}
          </span>
          {isSnoozed && plant.snoozed_until !== null && (
            <span className="plant-snoozed">
              <Icon name="bell-off" />{t("snooze.until", { time: format.dateTime(plant.snoozed_until) })}
            </span>
          )}
        </p>
      </div>
      {opened === "edit" && <EditPlantDialog plant={plant} onClose={() => setOpened(null)} />}
      {opened === "delete" && <DeletePlantDialog plant={plant} onClose={() => setOpened(null)} />}
      {opened === "snooze" && <SnoozeDialog plant={plant} onClose={() => setOpened(null)} />}
    </div>
  );
}
