import { useId, useState, type FormEvent } from "react";
import { api } from "../../api/client";
import type { LightSource, Plant, Species } from "../../api/types";
import { Icon } from "../../drawings/icons";
import { PlantDrawing } from "../../drawings/PlantDrawing";
import { useFormat } from "../../format";
import { useLanguage, useT } from "../../i18n";
import { live, usePlants } from "../../live/hooks";
import { lightSources, metricIcon, metricNames } from "../../metrics";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { CheckField, SelectField, TextField } from "../../ui/Field";
import { FormProblem } from "../../ui/Notice";
import { SpeciesPicker } from "../../ui/SpeciesPicker";
import { toast } from "../../ui/Toasts";
import { useSubmission } from "../../ui/form";
import { roomsOf } from "./arrange";

/** Makes a plant, with the limits that suit its species. */
export function AddPlantDialog({
  onClose, onAdded,
}: { onClose: () => void; onAdded: (plant: Plant) => void }): JSX.Element {
  const t = useT();
  const language = useLanguage();
  const rooms = roomsOf(usePlants(), language);
  const roomList = useId();
  const [name, setName] = useState("");
  const [speciesName, setSpeciesName] = useState("");
  const [species, setSpecies] = useState<Species | null>(null);
  const [room, setRoom] = useState("");
  const [lightSource, setLightSource] = useState<LightSource>("sun");
  const [wantsLimits, setWantsLimits] = useState(true);
  const { isBusy, problem, errors, run, check } = useSubmission();

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault();
    if (!check(name.trim() === "" ? { name: t("form.required") } : {})) return;
    await run(async () => {
      const plant = await api<Plant>("POST", "/plants", {
        body: {
          name: name.trim(), species: speciesName.trim() || null, room: room.trim() || null, light_source: lightSource,
          ...(species && wantsLimits ? { thresholds: species.thresholds } : {}),
        },
      });
      live.putPlant(plant);
      toast(t("overview.added", { name: plant.name }));
      onAdded(plant);
    });
  }

  return (
    <Dialog title={t("overview.add")} onClose={onClose}>
      <form onSubmit={(event) => void submit(event)} noValidate>
        <FormProblem problem={problem} />
        <TextField label={t("overview.name")} hint={t("overview.name_hint")} error={errors["name"]} value={name} onValue={setName}
          maxLength={100} required autoComplete="off" data-focus />
        <SpeciesPicker value={speciesName} onValue={setSpeciesName} onSpecies={setSpecies} error={errors["species"]} />
        {species && (
          <div className="suggestion">
            <PlantDrawing species={species.scientific_name} otherName={species.common_name} status="ok" size={84} />
            <div>
              <CheckField label={t("overview.use_limits")} checked={wantsLimits} onValue={setWantsLimits} />
              <SuggestedLimits species={species} isOff={!wantsLimits} />
            </div>
          </div>
        )}
        <div className="field-row">
          <TextField label={t("overview.room")} isOptional error={errors["room"]} value={room} onValue={setRoom} maxLength={100}
            list={roomList} autoComplete="off" />
          <SelectField label={t("overview.light_source")} value={lightSource} onValue={setLightSource}
            options={lightSources.map((value) => ({ value, label: t(`plant.light_source.${value}`) }))} />
        </div>
        <datalist id={roomList}>{rooms.map((one) => <option key={one} value={one} />)}</datalist>
        <div className="dialog-actions">
          <Button onClick={onClose}>{t("action.cancel")}</Button>
          <Button type="submit" kind="primary" icon="plus" busy={isBusy}>{t("overview.add_this")}</Button>
        </div>
      </form>
    </Dialog>
  );
}

function SuggestedLimits({ species, isOff }: { species: Species; isOff: boolean }): JSX.Element {
  const t = useT();
  const format = useFormat();
  const limited = metricNames.filter((metric) => species.thresholds[metric] !== undefined);
  if (limited.length === 0) return <p className="small soft">{t("overview.no_suggestion")}</p>;
  return (
    <ul className={isOff ? "suggested-limits suggested-off" : "suggested-limits"} aria-label={t("overview.suggested_limits")}>
      {limited.map((metric) => (
        <li key={metric}>
          <Icon name={metricIcon(metric)} />
          <span>{format.metric(metric)}</span> <strong className="figure">{format.limits(species.thresholds[metric], metric)}</strong>
        </li>
      ))}
    </ul>
  );
}
