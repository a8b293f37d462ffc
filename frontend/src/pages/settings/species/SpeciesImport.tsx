import { useId, useState, type ChangeEvent, type FormEvent } from "react";
import { ApiError, api } from "../../../api/client";
import { useT } from "../../../i18n";
import { Button } from "../../../ui/Button";
import { TextAreaField } from "../../../ui/Field";
import { Notice } from "../../../ui/Notice";
import { toast } from "../../../ui/Toasts";
import { problemText } from "../../../ui/form";

/** As the API has it. */
const mostBytes = 1_048_576;

/** Takes a table of species: a file, or what is pasted. All of it or, with any mistake, nothing. */
export function SpeciesImport({ onImported }: { onImported: () => void }): JSX.Element {
  const t = useT();
  const id = useId();
  const [text, setText] = useState("");
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const [mistakes, setMistakes] = useState<readonly string[]>([]);

  async function choose(event: ChangeEvent<HTMLInputElement>): Promise<void> {
    const input = event.target;
    const file = input.files?.[0];
    if (!file) return;
    setMistakes([]);
    if (file.size > mostBytes) setProblem(t("settings.species.too_large"));
    else {
      setProblem(null);
      setText(await file.text());
    }
    // So that the same file can be chosen again after it was mended.
    input.value = "";
  }

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault();
    setMistakes([]);
    if (text.trim() === "") {
      setProblem(t("settings.species.nothing_to_import"));
      return;
    }
    setProblem(null);
    setBusy(true);
    try {
      const { created, updated, unchanged } = await api<{ created: number; updated: number; unchanged: number }>(
        "POST", "/species/import", { text: { content: text, mediaType: "text/csv" } });
      setText("");
      toast(t("settings.species.imported", { created, updated, unchanged }));
      onImported();
    } catch (error) {
      const found = error instanceof ApiError && error.status === 422 ? error.problem?.errors ?? [] : [];
      setMistakes(found.map((one) => one.detail));
      setProblem(found.length > 0 ? t("settings.species.mistakes", { count: found.length }) : problemText(error, t));
    } finally {
      setBusy(false);
    }
  }

  return (
    <form className="settings-import" onSubmit={(event) => void submit(event)} noValidate>
      <h3>{t("settings.species.import")}</h3>
      <div className="field">
        <label htmlFor={id}>{t("settings.species.file")}</label>
        <input id={id} type="file" accept=".csv,text/csv" onChange={(event) => void choose(event)} />
      </div>
      <TextAreaField label={t("settings.species.pasted")} rows={5} spellCheck={false} value={text} onValue={setText}
        placeholder={"scientific_name,common_name,light,water,usda_zone_min,temperature_min\nOlea europaea,Olive,full,low,8,-5"} />
      {problem && (
        <Notice tone="critical" isUrgent>
          <p>{problem}</p>
          {mistakes.length > 0 && <ul>{mistakes.map((mistake) => <li key={mistake}>{mistake}</li>)}</ul>}
        </Notice>
      )}
      <Button type="submit" busy={isBusy}>{t("settings.species.import")}</Button>
    </form>
  );
}
