import { useState } from "react";
import { api } from "../../../api/client";
import { useResource } from "../../../api/useResource";
import type { Storage } from "../../../api/types";
import { useFormat } from "../../../format";
import { useT } from "../../../i18n";
import { Badge } from "../../../ui/Badges";
import { Button } from "../../../ui/Button";
import { Loaded } from "../../../ui/Notice";
import { Card } from "../../../ui/Page";
import { Meter } from "../Meter";

/** The largest; the others take next to nothing. */
const shownAtFirst = 8;

/** How much there is, and how long the disk will do. */
export default function StorageTab(): JSX.Element {
  const t = useT();
  const format = useFormat();
  const storage = useResource("storage", (signal) => api<Storage>("GET", "/system/storage", { signal }));
  return (
    <Loaded resource={storage}>
      {(value) => (
        <>
          <div className="settings-bar">
            <Button icon="refresh" busy={storage.isLoading} onClick={storage.reload}>{t("settings.reload")}</Button>
            <span className="small soft">{t("settings.as_of", { time: format.time(value.taken_at) })}</span>
          </div>
          <DiskCard storage={value} />
          <ReadingsCard storage={value} />
          <TablesCard storage={value} />
        </>
      )}
    </Loaded>
  );
}

function DiskCard({ storage }: { storage: Storage }): JSX.Element {
  const t = useT();
  const format = useFormat();
  const { disk, growth_bytes_per_day: growth, days_until_full: days } = storage;
  const free = disk === null ? 1 : disk.free_bytes / disk.total_bytes;
  // As the alert "disk filling" has it.
  const tone = disk === null || free >= 0.1 || disk.free_bytes >= 5 * 1024 ** 3 ? "ok"
    : free < 0.05 && disk.free_bytes < 1024 ** 3 ? "critical" : "warning";
  return (
    <Card title={t("settings.storage.disk")} actions={disk && (
      <Badge tone={tone} icon={tone === "ok" ? "check" : tone}>{t(`settings.storage.disk_${tone}`)}</Badge>
    )}>
      {disk === null ? <p>{t("settings.storage.no_disk")}</p> : (
        <>
          <p>{t("settings.storage.free", { free: format.bytes(disk.free_bytes), total: format.bytes(disk.total_bytes) })}</p>
          <Meter share={1 - free} tone={tone} />
        </>
      )}
      <p className="settings-statement">
        {days === null ? t(growth === null ? "settings.storage.full_unknown"
          : growth > 0 ? "settings.storage.full_late" : "settings.storage.full_never")
          : t("settings.storage.full_in", { duration: longDuration(days, t) })}
      </p>
      <dl className="facts">
        <dt>{t("settings.storage.database")}</dt>
        <dd>{format.bytes(storage.database_bytes)}</dd>
        <dt>{t("settings.storage.growth")}</dt>
        <dd>
          {growth === null ? t("settings.storage.growth_unknown")
            : t(growth < 0 ? "settings.storage.shrinks" : "settings.storage.grows", { bytes: format.bytes(Math.abs(growth)) })}
          {growth !== null && <span className="soft"> ({t(`settings.storage.basis.${storage.growth_basis}`)})</span>}
        </dd>
        {disk && (
          <>
            <dt>{t("settings.storage.path")}</dt>
            <dd><code>{disk.path}</code></dd>
          </>
        )}
      </dl>
    </Card>
  );
}

/** Days as somebody plans: nobody counts 4000 days. */
function longDuration(days: number, t: ReturnType<typeof useT>): string {
  if (days < 60) return t("settings.storage.days", { count: days });
  if (days < 730) return t("settings.storage.months", { count: Math.floor(days / 30.4) });
  return t("settings.storage.years", { count: Math.floor(days / 365.25) });
}

function ReadingsCard({ storage: { readings, retention } }: { storage: Storage }): JSX.Element {
  const t = useT();
  const format = useFormat();
  const { compression } = readings;
  return (
    <Card title={t("settings.storage.readings")}>
      <dl className="facts">
        <dt>{t("settings.storage.retention")}</dt>
        <dd>{retention.raw_days === null ? t("settings.storage.for_ever") : t("settings.storage.kept", { count: retention.raw_days })}</dd>
        <dt>{t("settings.storage.oldest")}</dt>
        <dd>{readings.oldest_at === null ? t("settings.storage.no_readings") : format.dateTime(readings.oldest_at)}</dd>
        <dt>{t("settings.storage.newest")}</dt>
        <dd>{readings.newest_at === null ? t("settings.storage.no_readings") : format.dateTime(readings.newest_at)}</dd>
        <dt>{t("settings.storage.compression")}</dt>
        <dd>
          {compression !== null && compression.before_bytes > 0
            ? t("settings.storage.compressed", {
              before: format.bytes(compression.before_bytes), after: format.bytes(compression.after_bytes),
              percent: Math.round(100 * (1 - compression.after_bytes / compression.before_bytes)),
            })
            : t(readings.kind === "timescale" ? "settings.storage.compressed_nothing" : "settings.storage.compression_native")}
        </dd>
      </dl>
      <p className="small soft settings-after">{t("settings.storage.retention_text")}</p>
    </Card>
  );
}

function TablesCard({ storage }: { storage: Storage }): JSX.Element {
  const t = useT();
  const format = useFormat();
  const [isAll, setAll] = useState(false);
  const tables = isAll ? storage.tables : storage.tables.slice(0, shownAtFirst);
  return (
    <Card title={t("settings.storage.tables")}>
      <div className="table-scroll" role="region" aria-label={t("settings.storage.tables")} tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th scope="col">{t("settings.storage.table")}</th>
              <th scope="col" className="number">{t("settings.storage.size")}</th>
              <th scope="col" className="number">{t("settings.storage.rows")}</th>
            </tr>
          </thead>
          <tbody>
            {tables.map((table) => (
              <tr key={table.name}>
                <th scope="row"><code>{table.name}</code></th>
                <td className="number">{format.bytes(table.bytes)}</td>
                <td className="number">{table.rows_estimate === null ? "–" : format.number(table.rows_estimate)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {!isAll && storage.tables.length > shownAtFirst && (
        <Button
          onClick={() => setAll(true)}>{t("settings.storage.all_tables", { count: storage.tables.length })}</Button>
      )}
    </Card>
  );
}
