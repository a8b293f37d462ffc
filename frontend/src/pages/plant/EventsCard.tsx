import { useState } from "react";
import { api } from "../../api/client";
import type { Plant, PlantEvent } from "../../api/types";
import type { Resource } from "../../api/useResource";
import { useSession } from "../../app/session";
import { Icon } from "../../drawings/icons";
import { useFormat, useNow } from "../../format";
import { useT } from "../../i18n";
import { Button, IconButton } from "../../ui/Button";
import { ConfirmDialog } from "../../ui/Dialog";
import { useSubmission } from "../../ui/form";
import { Loaded } from "../../ui/Notice";
import { Card } from "../../ui/Page";
import { EventDialog } from "./EventDialog";
import { eventIcons, eventWords } from "./words";

type Events = Resource<{ events: PlantEvent[]; total: number }>;

const shownAtFirst = 6;

/** What was done for the plant, entered or seen by its sensors. */
export function EventsCard({ plant, events }: { plant: Plant; events: Events }): JSX.Element {
  const t = useT();
  const session = useSession();
  const [isAdding, setAdding] = useState(false);
  const [isWhole, setWhole] = useState(false);
  return (
    <Card title={t("plant.events")}
      actions={session.may("member") && (
        <Button icon="plus" aria-haspopup="dialog" onClick={() => setAdding(true)}>{t("plant.event.add")}</Button>
      )}>
      <Loaded resource={events}>
        {(value) => value.events.length === 0
          ? <p className="soft">{t("plant.no_events")}</p>
          : (
            <>
              <ul className="plain-list events">
                {value.events.slice(0, isWhole ? undefined : shownAtFirst).map((event) => (
                  <EventLine key={event.id} plant={plant} event={event} onDeleted={() => events.reload()} />
                ))}
              </ul>
              {!isWhole && value.events.length > shownAtFirst && (
                <Button kind="quiet" onClick={() => setWhole(true)}>
                  {t("plant.event.all", { count: value.events.length })}
                </Button>
              )}
            </>
          )}
      </Loaded>
      {isAdding && <EventDialog plant={plant} onClose={() => setAdding(false)} onAdded={() => events.reload()} />}
    </Card>
  );
}

function EventLine({
  plant, event, onDeleted,
}: { plant: Plant; event: PlantEvent; onDeleted: () => void }): JSX.Element {
  const t = useT();
  const format = useFormat();
  const now = useNow(60);
  const session = useSession();
  const submission = useSubmission();
  const [isAsking, setAsking] = useState(false);
  const words = eventWords(event, format, t);
  async function remove(): Promise<void> {
    const isDone = await submission.run(() => api("DELETE", `/plants/${plant.id}/events/${event.id}`));
    if (!isDone) return;
    setAsking(false);
    onDeleted();
  }
  return (
    <li className="event-line">
      <span className={`event-sign event-${event.kind}`}><Icon name={eventIcons[event.kind]} /></span>
      <div>
        <span>{words}</span>
        <span className="soft small">
          <time dateTime={event.at} title={format.dateTime(event.at)}>{format.relative(event.at, now)}</time>
          {event.source === "detected" ? ` · ${t("plant.event.detected")}` : event.created_by ? ` · ${event.created_by}` : ""}
        </span>
      </div>
      {session.may("member") && (
        <IconButton icon="trash" label={t("plant.event.delete", { event: words })} onClick={() => setAsking(true)} />
      )}
      {isAsking && (
        <ConfirmDialog title={t("plant.event.delete_title")} text={words} action={t("action.delete")}
          isBusy={submission.isBusy} problem={submission.problem} onConfirm={() => void remove()}
          onClose={() => setAsking(false)} />
      )}
    </li>
  );
}
