import { useId, useMemo, useState, type FormEvent } from "react";
import { api } from "../../api/client";
import type { LightSource, Plant, PlantFields } from "../../api/types";
import { useT } from "../../i18n";
import { live, usePlants } from "../../live/hooks";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { SelectField, TextField } from "../../ui/Field";
import { lightSources } from "../../metrics";
import { useSubmission } from "../../ui/form";
import { FormProblem } from "../../ui/Notice";
import { SpeciesPicker } from "../../ui/SpeciesPicker";
import { toast } from "../../ui/Toasts";

export function EditPlantDialog({ plant, onClose }: { plant: Plant; onClose: () => void }): JSX.Element {
  const t = useT();
  const roomsId = useId();
  const plants = usePlants();
  const submission = useSubmission();
  /** As it was when the dialog was opened: what others change meanwhile is not taken back. */
  const [before] = useState(plant);
  const [name, setName] = useState(plant.name);
  const [species, setSpecies] = useState(plant.species ?? "");
  const [room, setRoom] = useState(plant.room ?? "");
  const [light, setLight] = useState<LightSource>(plant.light_source);
  const rooms = useMemo(
    () => [...new Set(plants.flatMap((one) => one.room === null ? [] : [one.room]))].sort(), [plants],
  );

  async function save(event: FormEvent): Promise<void> {
    event.preventDefault();
    if (!submission.check(name.trim() === "" ? { name: t("form.required") } : {})) return;
    const wanted = {
      name: name.trim(), species: species.trim() || null, room: room.trim() || null, light_source: light,
    };
    const body: PlantFields = {
      ...(wanted.name === before.name ? {} : { name: wanted.name }),
      ...(wanted.species === before.species ? {} : { species: wanted.species }),
      ...(wanted.room === before.room ? {} : { room: wanted.room }),
      ...(wanted.light_source === before.light_source ? {} : { light_source: wanted.light_source }),
    };
    const isDone = Object.keys(body).length === 0 || await submission.run(async () => live.putPlant(await api<Plant>("PUT", `/plants/${plant.id}`, { body })));
    if (!isDone) return;
    toast(t("action.saved"));
    onClose();
  }
  const { errors } = submission;
  return (
    <Dialog title={t("plant.edit")} onClose={onClose}>
      <form noValidate onSubmit={(event) => void save(event)}>
        <FormProblem problem={submission.problem} />
        <TextField label={t("plant.name")} value={name} onValue={setName} error={errors["name"]} maxLength={100} required />
        <SpeciesPicker label={t("plant.species")} value={species} onValue={setSpecies} error={errors["species"]} />
        <TextField label={t("plant.room")} value={room} onValue={setRoom} error={errors["room"]} maxLength={100} isOptional
          list={roomsId} />
        <datalist id={roomsId}>{rooms.map((one) => <option key={one} value={one} />)}</datalist>
        <SelectField label={t("plant.light_source")} hint={t("plant.light_source_hint")} value={light} onValue={setLight}
          error={errors["light_source"]}
          options={lightSources.map((source) => ({ value: source, label: t(`plant.light_source.${source}`) }))} />
        <div className="dialog-actions">
          <Button onClick={onClose}>{t("action.cancel")}</Button>
          <Button kind="primary" type="submit" busy={submission.isBusy}>{t("action.save")}</Button>
        </div>
      </form>
    </Dialog>
  );
}
