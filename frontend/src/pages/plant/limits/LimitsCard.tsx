import { useEffect, useMemo, useRef, useState, type FormEvent } from "react";
import { api } from "../../../api/client";
import type { Plant, PlantFields } from "../../../api/types";
import { usePreferences } from "../../../app/preferences";
import { useSession } from "../../../app/session";
import { useFormat } from "../../../format";
import { useT } from "../../../i18n";
import { live } from "../../../live/hooks";
import { Button } from "../../../ui/Button";
import { SelectField } from "../../../ui/Field";
import { useSubmission } from "../../../ui/form";
import { FormProblem } from "../../../ui/Notice";
import { Card } from "../../../ui/Page";
import { toast } from "../../../ui/Toasts";
import { changeOf, draftOf, draftsOf, limitMetrics, readDrafts, type Draft } from "./limitsForm";
import { LimitRow } from "./LimitRow";
import { LimitsTable } from "./LimitsTable";
import { ReplayPreview } from "./ReplayPreview";

/** What the plant needs, and what would have been told of it. */
export function LimitsCard({ plant }: { plant: Plant }): JSX.Element {
  const t = useT();
  const session = useSession();
  const { temperature, language } = usePreferences();
  return (
    <Card title={t("plant.limits")} className="limits-card">
      {session.may("member")
        // Drafts are texts in a unit and a language: with another one they begin anew.
        ? <LimitsForm key={`${temperature} ${language}`} plant={plant} />
        : <LimitsTable plant={plant} />}
    </Card>
  );
}

function LimitsForm({ plant }: { plant: Plant }): JSX.Element {
  const t = useT();
  const format = useFormat();
  const submission = useSubmission();
  const [added, setAdded] = useState<readonly string[]>([]);
  const { shown, others } = limitMetrics(plant);
  const names = [...shown, ...others.filter((name) => added.includes(name))];
  const [edits, setEdits] = useState<Readonly<Record<string, Partial<Draft>>>>({});
  // What was not touched is as it is now, also when somebody else has changed it meanwhile.
  const saved = draftsOf(plant.thresholds, names, format);
  const drafts = Object.fromEntries(names.map((name) => [name, { min: "", max: "", ...saved[name], ...edits[name] }]));
  const read = useMemo(() => readDrafts(drafts, plant.thresholds, format, t), [edits, names.join(), plant.thresholds, format, t]);
  const change = changeOf(plant.thresholds, read.thresholds);
  const isChanged = Object.keys(change).length > 0 || Object.keys(read.errors).length > 0;
  const suggested = plant.suggested_thresholds ?? {};
  const form = useRef<HTMLFormElement>(null);

  // What is wrong is said while typing, once something was tried or the field was left.
  const [touched, setTouched] = useState<ReadonlySet<string>>(new Set());
  const errorOf = (name: string): string | undefined =>
    read.errors[name] !== undefined && touched.has(name) ? read.errors[name] : submission.errors[name];

  useEffect(() => {
    if (submission.problem === null) return;
    form.current?.querySelector<HTMLInputElement>("[aria-invalid=true]")?.focus();
  }, [submission.problem]);

  function edit(metric: string, draft: Partial<Draft>): void {
    submission.clear();
    setEdits((old) => ({ ...old, [metric]: { ...old[metric], ...draft } }));
  }
  function takeOver(wanted: readonly string[]): void {
    submission.clear();
    setEdits((old) => ({
      ...old, ...Object.fromEntries(wanted.map((metric) => [metric, draftOf(suggested[metric], metric, format)])),
    }));
  }
  function startOver(): void {
    submission.clear();
    setEdits({});
    setTouched(new Set());
  }
  async function save(event: FormEvent): Promise<void> {
    event.preventDefault();
    setTouched(new Set(Object.keys(read.errors)));
    if (!submission.check(read.errors)) return;
    const body: PlantFields = { thresholds: change };
    const isDone = await submission.run(async () => {
      live.putPlant(await api<Plant>("PUT", `/plants/${plant.id}`, { body }));
    });
    if (!isDone) return;
    startOver();
    toast(t("plant.limits.saved"));
  }
  const canSuggest = Object.keys(suggested).length > 0;
  return (
    <form ref={form} noValidate className="limits" onSubmit={(event) => void save(event)}>
      <p className="soft">{t("plant.limits.text")}</p>
      <FormProblem problem={submission.problem} />
      <div className="limit-rows">
        {names.map((metric) => (
          <LimitRow key={metric} metric={metric} draft={drafts[metric] ?? { min: "", max: "" }}
            suggestion={suggested[metric]} species={plant.species}
            errors={{ min: errorOf(`thresholds/${metric}/min`), max: errorOf(`thresholds/${metric}/max`) ?? errorOf(`thresholds/${metric}`) }}
            onDraft={(draft) => edit(metric, draft)}
            onLeft={(side) => setTouched((old) => new Set(old).add(`thresholds/${metric}/${side}`))}
            onTakeOver={() => takeOver([metric])} />
        ))}
      </div>
      <div className="limit-more">
        {canSuggest && (
          <Button icon="leaf" onClick={() => takeOver(Object.keys(suggested))}>{t("plant.limits.take_all")}</Button>
        )}
        {others.some((name) => !added.includes(name)) && (
          <SelectField label={t("plant.limits.add")} value="" onValue={(name) => name !== "" && setAdded((old) => [...old, name])}
            options={[
              { value: "", label: t("plant.limits.choose") },
              ...others.filter((name) => !added.includes(name)).map((name) => ({ value: name, label: format.metric(name) })),
            ]} />
        )}
      </div>
      <ReplayPreview plant={plant} thresholds={Object.keys(read.errors).length === 0 ? read.thresholds : null}
        isChanged={Object.keys(change).length > 0} />
      <div className="dialog-actions">
        <Button disabled={!isChanged || submission.isBusy} onClick={startOver}>{t("plant.limits.reset")}</Button>
        <Button kind="primary" type="submit" disabled={!isChanged} busy={submission.isBusy}>{t("plant.limits.save")}</Button>
      </div>
    </form>
  );
}
