import type { QuietHours } from "../../api/types";
import { useT } from "../../i18n";
import { TextField } from "../../ui/Field";
import type { FieldErrors } from "../../ui/form";
import { TimeZoneField, ownTimeZone } from "./TimeZoneField";

export const usualQuietHours = (timeZone?: string): QuietHours =>
  ({ from: "22:00", to: "07:00", time_zone: timeZone ?? ownTimeZone() });

export function sameQuietHours(one: QuietHours | null, other: QuietHours | null): boolean {
  return one?.from === other?.from && one?.to === other?.to && one?.time_zone === other?.time_zone;
}

/** Errors by the names the API gives them: quiet_hours/from and so on. */
export function QuietHoursFields({
  value, onValue, errors,
}: { value: QuietHours; onValue: (value: QuietHours) => void; errors: FieldErrors }): JSX.Element {
  const t = useT();
  return (
    <div className="field-row settings-hours">
      <TextField label={t("settings.quiet.from")} type="time" required value={value.from}
        onValue={(from) => onValue({ ...value, from })} error={errors["quiet_hours/from"]} />
      <TextField label={t("settings.quiet.to")} type="time" required value={value.to}
        onValue={(to) => onValue({ ...value, to })} error={errors["quiet_hours/to"]} />
      <TimeZoneField label={t("settings.quiet.time_zone")} value={value.time_zone}
        onValue={(time_zone) => onValue({ ...value, time_zone })} error={errors["quiet_hours/time_zone"]} />
    </div>
  );
}
