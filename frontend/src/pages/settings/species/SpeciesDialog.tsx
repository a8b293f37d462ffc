import { useState, type FormEvent } from "react";
import { api } from "../../../api/client";
import type { Species } from "../../../api/types";
import { useFormat } from "../../../format";
import { useT } from "../../../i18n";
import { Button } from "../../../ui/Button";
import { Dialog } from "../../../ui/Dialog";
import { SelectField, TextField } from "../../../ui/Field";
import { FormProblem } from "../../../ui/Notice";
import { readNumber, useSubmission } from "../../../ui/form";
import { SpeciesLimits } from "./SpeciesLimits";
import { limitChanges, limitMistakes, limitTexts, type LimitTexts } from "./limits";

const lights = ["", "shade", "partial", "full"] as const;
const waters = ["", "low", "moderate", "high"] as const;
const zones = { min: 1, max: 13 };

/** Adds a species of one's own, changes one, or puts one in the place of a built-in one. */
export function SpeciesDialog({
  species, onDone, onClose,
}: { species: Species | null; onDone: (text: string) => void; onClose: () => void }): JSX.Element {
  const t = useT();
  const format = useFormat();
  const isNew = species === null || species.id === null;
  const [scientific, setScientific] = useState(species?.scientific_name ?? "");
  const [common, setCommon] = useState(species?.common_name ?? "");
  const [light, setLight] = useState<(typeof lights)[number]>(species?.light ?? "");
  const [water, setWater] = useState<(typeof waters)[number]>(species?.water ?? "");
  const [zone, setZone] = useState(species?.usda_zone_min == null ? "" : String(species.usda_zone_min));
  const [limits, setLimits] = useState<LimitTexts>(() => limitTexts(species?.own_thresholds ?? {}, format));
  const submission = useSubmission();
  const { errors } = submission;
  const name = scientific.trim();

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault();
    const number = readNumber(zone);
    const isZone = number === null || (number !== undefined && Number.isInteger(number) && number >= zones.min && number <= zones.max);
    const isFine = submission.check({
      ...(name === "" ? { scientific_name: t("form.required") } : {}),
      ...(isZone ? {} : { usda_zone_min: t("form.range", zones) }),
      ...limitMistakes(limits, format, t),
    });
    if (!isFine) return;
    const thresholds = limitChanges(limits, species?.own_thresholds ?? {}, format);
    const facts = {
      scientific_name: name, common_name: common.trim() || null, light: light || null, water: water || null, usda_zone_min: number,
    };
    const before: Partial<Record<string, unknown>> = isNew ? {} : { ...species };
    const body = {
      ...Object.fromEntries(Object.entries(facts).filter(([field, value]) => isNew ? value !== null : before[field] !== value)),
      ...(Object.keys(thresholds).length === 0 ? {} : { thresholds }),
    };
    const isDone = await submission.run(() =>
      isNew ? api("POST", "/species", { body }) : api("PUT", `/species/${species.id ?? ""}`, { body }));
    if (isDone) onDone(t(isNew ? "settings.species.added" : "settings.species.changed", { name: common.trim() || name }));
  }

  return (
    <Dialog wide onClose={onClose} title={species === null ? t("settings.species.add")
      : t(isNew ? "settings.species.adapt_named" : "settings.species.edit_named", { name: species.common_name ?? species.scientific_name })}>
      <form onSubmit={(event) => void submit(event)} noValidate>
        {species !== null && isNew && <p className="settings-explanation">{t("settings.species.adapt_text")}</p>}
        <div className="field-row">
          <TextField label={t("settings.species.scientific")} value={scientific} onValue={setScientific}
            maxLength={100} required
            autoComplete="off" spellCheck={false} error={errors["scientific_name"]} />
          <TextField label={t("settings.species.common")} isOptional value={common} onValue={setCommon} maxLength={100}
            autoComplete="off" error={errors["common_name"]} />
        </div>
        <div className="field-row">
          <SelectField label={t("settings.species.light")} value={light} onValue={setLight} error={errors["light"]}
            options={lights.map((value) => ({ value, label: t(value === "" ? "settings.species.unknown" : `settings.species.light.${value}`) }))} />
          <SelectField label={t("settings.species.water")} value={water} onValue={setWater} error={errors["water"]}
            options={waters.map((value) => ({ value, label: t(value === "" ? "settings.species.unknown" : `settings.species.water.${value}`) }))} />
          <TextField label={t("settings.species.zone")} isOptional inputMode="numeric" autoComplete="off"
            value={zone} onValue={setZone} error={errors["usda_zone_min"]} />
        </div>
        <SpeciesLimits texts={limits} onTexts={setLimits} suggested={species?.thresholds ?? {}} errors={errors} />
        <FormProblem problem={submission.problem} />
        <div className="dialog-actions">
          <Button onClick={onClose}>{t("action.cancel")}</Button>
          <Button kind="primary" type="submit" busy={submission.isBusy}>
            {isNew ? t("settings.species.add") : t("action.save")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
