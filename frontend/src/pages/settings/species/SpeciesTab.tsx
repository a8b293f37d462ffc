import { useDeferredValue, useState } from "react";
import { api, apiPath } from "../../../api/client";
import { useResource } from "../../../api/useResource";
import type { Species } from "../../../api/types";
import { useSession } from "../../../app/session";
import { useT } from "../../../i18n";
import { Button } from "../../../ui/Button";
import { Segmented } from "../../../ui/Choice";
import { ConfirmDialog } from "../../../ui/Dialog";
import { TextField } from "../../../ui/Field";
import { Empty, Loaded } from "../../../ui/Notice";
import { Card } from "../../../ui/Page";
import { toast } from "../../../ui/Toasts";
import { useSubmission } from "../../../ui/form";
import { SpeciesDialog } from "./SpeciesDialog";
import { SpeciesImport } from "./SpeciesImport";
import { SpeciesRow } from "./SpeciesRow";

type Doing = { kind: "add" } | { kind: "edit" | "delete"; species: Species };
const shownAtMost = 100;

/** What species are known, and those of one's own. */
export default function SpeciesTab(): JSX.Element {
  const t = useT();
  const { may } = useSession();
  const [source, setSource] = useState<"own" | "all">("own");
  const [search, setSearch] = useState("");
  const wanted = useDeferredValue(search.trim());
  const list = useResource(`species ${source} ${wanted}`, (signal) => api<{ species: Species[]; total: number }>("GET", "/species", {
    query: { q: wanted, source: source === "own" ? "own" : null, limit: shownAtMost }, signal,
  }));
  // What was found last stays while one types on.
  const [doing, setDoing] = useState<Doing | null>(null);
  const mayChange = may("member");
  const close = (): void => setDoing(null);
  const done = (text: string): void => {
    close();
    toast(text);
    list.reload();
  };
  return (
    <>
      <Card title={t("settings.species.list")} actions={mayChange && (
        <Button kind="primary" icon="plus"
          onClick={() => setDoing({ kind: "add" })}>{t("settings.species.add")}</Button>
      )}>
        <div className="settings-search">
          <TextField label={t("settings.species.search")} type="search" autoComplete="off" maxLength={100}
            value={search} onValue={setSearch} />
          <Segmented label={t("settings.species.which")} value={source} onValue={setSource} options={[
            { value: "own", label: t("settings.species.own") }, { value: "all", label: t("settings.species.all") },
          ]} />
        </div>
        <Loaded resource={list}>
          {({ species, total }) => total === 0
            ? <Empty title={t(wanted !== "" ? "settings.species.nothing_found" : "settings.species.none")}>
              {wanted === "" && <p>{t("settings.species.none_text")}</p>}
            </Empty>
            : (
              <>
                <p className="small soft" role="status">{t("settings.species.count", { count: total })}</p>
                <ul className="settings-list">
                  {species.map((one) => (
                    <SpeciesRow key={one.id ?? one.scientific_name} species={one} mayChange={mayChange}
                      onDo={(kind) => setDoing({ kind, species: one })} />
                  ))}
                </ul>
                {total > species.length && <p className="small soft">{t("settings.species.more", { count: shownAtMost })}</p>}
              </>
            )}
        </Loaded>
      </Card>
      <Card title={t("settings.species.table")}>
        <p className="settings-explanation">{t("settings.species.table_text")}</p>
        <div className="card-actions">
          <a className="button button-plain" href={apiPath("/species/export.csv", { source: "own" })}
            download="species.csv">
            {t("settings.species.export_own")}
          </a>
          <a className="button button-plain" href={apiPath("/species/export.csv")} download="species.csv">
            {t("settings.species.export_all")}
          </a>
        </div>
        {mayChange && <SpeciesImport onImported={list.reload} />}
      </Card>
      {(doing?.kind === "add" || doing?.kind === "edit") && (
        <SpeciesDialog species={doing.kind === "edit" ? doing.species : null} onDone={done} onClose={close} />
      )}
      {doing?.kind === "delete" && <DeleteDialog species={doing.species} onDone={done} onClose={close} />}
    </>
  );
}

function DeleteDialog({ species, onDone, onClose }: { species: Species; onDone: (text: string) => void; onClose: () => void }): JSX.Element {
  const t = useT();
  const submission = useSubmission();
  const name = species.common_name ?? species.scientific_name;
  async function remove(): Promise<void> {
    if (!await submission.run(() => api("DELETE", `/species/${species.id ?? ""}`))) return;
    onDone(t("settings.species.deleted", { name }));
  }
  return (
    <ConfirmDialog title={t("settings.species.delete_title", { name })} text={t("settings.species.delete_text")}
      action={t("settings.species.delete")} isBusy={submission.isBusy} problem={submission.problem}
      onConfirm={() => void remove()} onClose={onClose} />
  );
}
