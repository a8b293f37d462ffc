import { useState } from "react";
import { useSession } from "../../app/session";
import { setQuery, useQuery } from "../../app/router";
import { useT } from "../../i18n";
import { useDevices, useLiveSelection, usePlants } from "../../live/hooks";
import { Button } from "../../ui/Button";
import { SelectField, TextField } from "../../ui/Field";
import { Empty, Waiting } from "../../ui/Notice";
import { PageHeader } from "../../ui/Page";
import { useMedia } from "../../ui/useMedia";
import { DeviceDialog } from "./DeviceDialog";
import { arrange, choice, filters, isWaiting, orders, passes, place, type DeviceOrder } from "./deviceList";
import { DeviceCards, DeviceTable } from "./DeviceTable";
import { EnrollDialog } from "./EnrollDialog";
import { EnrollmentTokens } from "./EnrollmentTokens";
import { WaitingDevices } from "./WaitingDevices";

export default function DevicesPage(): JSX.Element {
  const t = useT();
  const { may } = useSession();
  const phase = useLiveSelection((state) => state.phase);
  const devices = useDevices();
  const plants = usePlants();
  const query = useQuery();
  const isNarrow = useMedia("(max-width: 50rem)");
  const [isEnrolling, setEnrolling] = useState(false);
  const [tokensChanged, setTokensChanged] = useState(0);

  const search = query.get("q") ?? "";
  const filter = choice(query.get("show"), filters);
  const order = choice(query.get("sort"), orders);
  const isReversed = query.get("down") === "1";
  const shown = arrange(place(devices, plants), search, filter, order, isReversed);
  const waiting = devices.filter(isWaiting);
  const openId = query.get("device");
  const open = openId === null ? undefined : devices.find((device) => device.id === openId);
  const online = devices.filter((device) => device.status === "online").length;
  const mayChange = may("member");

  const sort = (by: DeviceOrder): void =>
    setQuery({ sort: by === "name" ? null : by, down: by === order && !isReversed ? "1" : null });

  return (
    <>
      <PageHeader title={t("nav.devices")}
        lead={phase === "ready" && devices.length > 0 && t("devices.lead", { count: devices.length, online })}>
        {mayChange && (
          <Button kind="primary" icon="plus" onClick={() => setEnrolling(true)}>{t("devices.enroll")}</Button>
        )}
      </PageHeader>
      {phase !== "ready" && devices.length === 0 && <Waiting />}
      {waiting.length > 0 && <WaitingDevices devices={waiting} mayChange={mayChange} />}
      {phase === "ready" && devices.length === 0 && (
        <Empty title={t("devices.none")}>
          <p>{t(mayChange ? "devices.none_text" : "devices.none_text_viewer")}</p>
        </Empty>
      )}
      {devices.length > 0 && (
        <>
          <div className="device-tools" role="search" aria-label={t("devices.find")}>
            <TextField label={t("devices.search")} type="search" value={search} autoComplete="off"
              onValue={(text) => setQuery({ q: text })} />
            <SelectField label={t("devices.show")} value={filter}
              onValue={(value) => setQuery({ show: value === "all" ? null : value })}
              options={filters.map((value) => ({
                value,
                label: `${t(value === "all" || value === "no_plant" ? `devices.filter_${value}` : `device_status.${value}`)}`
                  + ` (${devices.filter((device) => passes(device, value)).length})`,
              }))} />
            {isNarrow && (
              <SelectField label={t("devices.sort")} value={order} onValue={(value) => setQuery({ sort: value, down: null })}
                options={orders.map((value) => ({ value, label: t(`devices.sort_${value}`) }))} />
            )}
          </div>
          <p className="visually-hidden" role="status">{t("devices.shown", { count: shown.length })}</p>
          {shown.length === 0
            ? (
              <Empty title={t("devices.none_found")}>
                <Button onClick={() => setQuery({ q: null, show: null })}>{t("devices.show_all")}</Button>
              </Empty>
            )
            : isNarrow ? <DeviceCards devices={shown} />
            : <DeviceTable devices={shown} order={order} isReversed={isReversed} onOrder={sort} />}
        </>
      )}
      {mayChange && <EnrollmentTokens changed={tokensChanged} />}
      {isEnrolling && (
        <EnrollDialog onMade={() => setTokensChanged((count) => count + 1)} onClose={() => setEnrolling(false)} />
      )}
      {open && <DeviceDialog key={open.id} device={open} onClose={() => setQuery({ device: null })} />}
    </>
  );
}
