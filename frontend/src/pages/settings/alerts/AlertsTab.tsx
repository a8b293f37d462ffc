import { useState, type FormEvent } from "react";
import { api } from "../../../api/client";
import { useResource } from "../../../api/useResource";
import type { AlertSettings } from "../../../api/types";
import { useFormat } from "../../../format";
import { useT } from "../../../i18n";
import { Button } from "../../../ui/Button";
import { CheckField, TextField } from "../../../ui/Field";
import { FormProblem, Loaded } from "../../../ui/Notice";
import { Card } from "../../../ui/Page";
import { toast } from "../../../ui/Toasts";
import { readNumber, useSubmission } from "../../../ui/form";
import { QuietHoursFields, sameQuietHours, usualQuietHours } from "../QuietHoursFields";
import { TimeZoneField, isUTC, ownTimeZone } from "../TimeZoneField";

/** When an alert begins, and when people are told. */
export default function AlertsTab(): JSX.Element {
  const settings = useResource("alert settings", (signal) => api<AlertSettings>("GET", "/settings/alerts", { signal }));
  return (
    <Loaded resource={settings}>
      {(value) => <AlertSettingsForm saved={value} onSaved={settings.set} />}
    </Loaded>
  );
}

const ranges = { for_seconds: [0, 86_400], cooldown_minutes: [0, 10_080], hysteresis_percent: [0, 50] } as const;
type NumberName = keyof typeof ranges;

/** Keeps what was typed until it is saved, whatever is loaded meanwhile. */
function AlertSettingsForm({ saved, onSaved }: { saved: AlertSettings; onSaved: (saved: AlertSettings) => void }): JSX.Element {
  const t = useT();
  const format = useFormat();
  const [numbers, setNumbers] = useState<Record<NumberName, string>>({
    for_seconds: String(saved.for_seconds), cooldown_minutes: String(saved.cooldown_minutes),
    hysteresis_percent: String(saved.hysteresis_percent),
  });
  const [digest, setDigest] = useState(saved.digest);
  const [isQuiet, setQuiet] = useState(saved.quiet_hours !== null);
  const [hours, setHours] = useState(saved.quiet_hours ?? usualQuietHours(isUTC(saved.time_zone) ? undefined : saved.time_zone));
  const [timeZone, setTimeZone] = useState(saved.time_zone);
  const submission = useSubmission();
  const { errors } = submission;
  const read = (name: NumberName): number | null | undefined => readNumber(numbers[name]);

  function mistake(name: NumberName): Record<string, string> {
    const value = read(name);
    const [min, max] = ranges[name];
    if (typeof value !== "number") return { [name]: t("form.number") };
    if (name !== "hysteresis_percent" && !Number.isInteger(value)) return { [name]: t("form.whole_number") };
    return value < min || value > max ? { [name]: t("form.range", { min, max }) } : {};
  }

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault();
    const quietHours = isQuiet ? hours : null;
    const isFine = submission.check({
      ...mistake("for_seconds"), ...mistake("cooldown_minutes"), ...mistake("hysteresis_percent"),
      ...(isQuiet && hours.from === "" ? { "quiet_hours/from": t("form.required") } : {}),
      ...(isQuiet && hours.to === "" ? { "quiet_hours/to": t("form.required") } : {}),
      ...(isQuiet && hours.from !== "" && hours.from === hours.to ? { "quiet_hours/to": t("settings.quiet.same") } : {}),
    });
    if (!isFine) return;
    const numbersChanged = (Object.keys(ranges) as NumberName[]).filter((name) => read(name) !== saved[name]);
    await submission.run(async () => {
      onSaved(await api<AlertSettings>("PUT", "/settings/alerts", {
        body: {
          ...Object.fromEntries(numbersChanged.map((name) => [name, read(name)])),
          ...(digest === saved.digest ? {} : { digest }),
          ...(sameQuietHours(quietHours, saved.quiet_hours) ? {} : { quiet_hours: quietHours }),
          ...(timeZone === saved.time_zone ? {} : { time_zone: timeZone }),
        },
      }));
      toast(t("settings.alerts.saved"));
    });
  }

  const numberField = (name: NumberName, inWords: string): JSX.Element => (
    <TextField label={t(`settings.alerts.${name}`)} hint={`${t(`settings.alerts.${name}_hint`)} ${inWords}`}
      inputMode="decimal"
      autoComplete="off" required value={numbers[name]} error={errors[name]}
      onValue={(text) => setNumbers({ ...numbers, [name]: text })} />
  );
  const seconds = read("for_seconds");
  const minutes = read("cooldown_minutes");
  return (
    <form onSubmit={(event) => void submit(event)} noValidate>
      <Card title={t("settings.alerts.judging")}>
        {numberField("for_seconds", seconds === 0 ? t("settings.alerts.at_once")
          : typeof seconds === "number" && seconds > 0 ? t("settings.alerts.that_is", { duration: format.duration(seconds) }) : "")}
        {numberField("hysteresis_percent", "")}
        <TimeZoneField label={t("settings.alerts.time_zone")} hint={t("settings.alerts.time_zone_hint")}
          value={timeZone} onValue={setTimeZone} error={errors["time_zone"]} />
        {isUTC(timeZone) && !isUTC(ownTimeZone()) && (
          <Button kind="quiet" icon="clock" onClick={() => setTimeZone(ownTimeZone())}>
            {t("settings.alerts.own_time_zone", { time_zone: ownTimeZone() })}
          </Button>
        )}
      </Card>
      <Card title={t("settings.alerts.telling")}>
        {numberField("cooldown_minutes", minutes === 0 ? t("settings.alerts.no_cooldown")
          : typeof minutes === "number" && minutes >= 90 ? t("settings.alerts.that_is", { duration: format.duration(minutes * 60) }) : "")}
      </Card>
      <Card title={t("settings.quiet")}>
        <CheckField label={t("settings.quiet.on")} hint={t("settings.quiet.text")} checked={isQuiet}
          onValue={setQuiet} />
        {isQuiet && <QuietHoursFields value={hours} onValue={setHours} errors={errors} />}
        <CheckField label={t("settings.alerts.digest")} hint={t("settings.alerts.digest_hint")} checked={digest}
          onValue={setDigest} />
      </Card>
      <div className="settings-submit">
        <FormProblem problem={submission.problem} />
        <Button kind="primary" type="submit" busy={submission.isBusy}>{t("action.save")}</Button>
      </div>
    </form>
  );
}
