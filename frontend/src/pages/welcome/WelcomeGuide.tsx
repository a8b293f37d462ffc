import { useState, type ReactNode } from "react";
import { Link } from "../../app/Link";
import { useSession } from "../../app/session";
import { api } from "../../api/client";
import type { Channel, Device, Plant } from "../../api/types";
import { useResource } from "../../api/useResource";
import { PlantDrawing } from "../../drawings/PlantDrawing";
import { Icon } from "../../drawings/icons";
import { useFormat } from "../../format";
import { useT } from "../../i18n";
import { useDevices, usePlants } from "../../live/hooks";
import { plantMetrics, valueOf } from "../../metrics";
import { Button } from "../../ui/Button";
import { PageHeader } from "../../ui/Page";
import { AddPlantDialog } from "../overview/AddPlantDialog";

/** From an empty system to the first reading, step by step; each says by itself when it is done. */
export default function WelcomeGuide({ onLeave }: { onLeave: () => void }): JSX.Element {
  const t = useT();
  const { may } = useSession();
  const plants = usePlants();
  const devices = useDevices();
  const measured = plants.find((plant) => plant.latest_telemetry !== null);
  const plant = measured ?? plants[0];
  // It grows as soon as there is a plant.
  const drawing = <PlantDrawing species={plant?.species ?? null} status="ok" seed={plant?.id ?? "guide"} size={190} lively />;
  return (
    <div className="welcome">
      <PageHeader title={t("welcome.title")} lead={t(may("member") ? "welcome.lead" : "welcome.lead_viewer")}>
        <Button kind={measured ? "primary" : "plain"} onClick={onLeave}>{t(measured ? "welcome.finish" : "welcome.leave")}</Button>
      </PageHeader>
      <div className="welcome-body">
        <div className="welcome-picture">{drawing}</div>
        <ol className="steps">
          {may("member") ? (
            <>
              <PlantStep plant={plant} />
              <DeviceStep devices={devices} isOpen={plant !== undefined} />
              <ReadingStep plant={measured} isOpen={devices.some((device) => device.plant_id !== null)} number={3} />
              <ChannelStep isOpen={measured !== undefined} />
            </>
          ) : <ReadingStep plant={measured} isOpen number={1} />}
        </ol>
      </div>
    </div>
  );
}

/** `isOpen`: it is this one's turn. */
function Step({
  number, title, isDone, isOpen, children,
}: { number: number; title: string; isDone: boolean; isOpen: boolean; children: ReactNode }): JSX.Element {
  const t = useT();
  const format = useFormat();
  const state = isDone ? "done" : isOpen ? "now" : "later";
  return (
    <li className={`step step-${state}`} aria-current={state === "now" ? "step" : undefined}>
      <span className="step-sign" aria-hidden="true">{isDone ? <Icon name="check" /> : format.number(number)}</span>
      <div>
        <h2>{title} <span className="visually-hidden">({t(`welcome.step_${state}`)})</span></h2>
        {children}
      </div>
    </li>
  );
}

function PlantStep({ plant }: { plant: Plant | undefined }): JSX.Element {
  const t = useT();
  const [isAdding, setAdding] = useState(false);
  return (
    <Step number={1} title={t("welcome.plant")} isDone={plant !== undefined} isOpen>
      <p role="status">{plant ? t("welcome.plant_done", { name: plant.name }) : t("welcome.plant_text")}</p>
      {!plant && <Button kind="primary" icon="plus" onClick={() => setAdding(true)}>{t("overview.add")}</Button>}
      {isAdding && <AddPlantDialog onClose={() => setAdding(false)} onAdded={() => setAdding(false)} />}
    </Step>
  );
}

function DeviceStep({ devices, isOpen }: { devices: readonly Device[]; isOpen: boolean }): JSX.Element {
  const t = useT();
  const assigned = devices.find((device) => device.plant_id !== null);
  const device = assigned ?? devices[0];
  const text = assigned ? t("welcome.device_done", { name: assigned.name })
    : device ? t(device.approved ? "welcome.device_unassigned" : "welcome.device_waits", { name: device.name })
    : t("welcome.device_text");
  return (
    <Step number={2} title={t("welcome.device")} isDone={assigned !== undefined} isOpen={isOpen}>
      <p role="status">{text}</p>
      {!assigned && (
        <Link className={isOpen ? "button button-primary" : "button"} to="/devices"><Icon name="device" />{t("welcome.to_devices")}</Link>
      )}
    </Step>
  );
}

function ReadingStep({ plant, isOpen, number }: { plant: Plant | undefined; isOpen: boolean; number: number }): JSX.Element {
  const t = useT();
  const format = useFormat();
  const latest = plant?.latest_telemetry ?? null;
  const metric = plantMetrics.find((one) => valueOf(latest, one) !== null);
  const isWaiting = isOpen && !plant;
  return (
    <Step number={number} title={t("welcome.reading")} isDone={plant !== undefined} isOpen={isOpen}>
      <p role="status" className={isWaiting ? "step-waiting" : undefined}>
        {!plant ? t(isOpen ? "welcome.reading_waits" : "welcome.reading_text")
          : metric ? t("welcome.reading_done", { value: format.value(valueOf(latest, metric), metric), metric: format.metric(metric) })
          : t("welcome.reading_done_without_value")}
      </p>
      {plant && <Link to={`/plants/${plant.id}`}>{t("welcome.to_plant", { name: plant.name })}</Link>}
    </Step>
  );
}

function ChannelStep({ isOpen }: { isOpen: boolean }): JSX.Element {
  const t = useT();
  const channels = useResource("channels", async (signal) => (await api<{ channels: Channel[] }>("GET", "/channels", { signal })).channels);
  const [channel] = channels.value ?? [];
  return (
    <Step number={4} title={t("welcome.channel")} isDone={channel !== undefined} isOpen={isOpen}>
      <p>{channel ? t("welcome.channel_done", { name: channel.name }) : t("welcome.channel_text")}</p>
      {!channel && (
        <Link className={isOpen ? "button button-primary" : "button"} to="/settings/channels"><Icon name="bell" />{t("welcome.to_channels")}</Link>
      )}
    </Step>
  );
}
