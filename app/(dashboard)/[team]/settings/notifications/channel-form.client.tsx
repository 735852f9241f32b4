'use client'

import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { appEventAreas } from '@/platform/model/app-event-kinds.ts'
import {
  type ChannelKind,
  type CreateChannelInput,
  channelKinds,
  type NotificationChannel,
  usualEvents,
} from '@/platform/model/notifications.ts'
import { createChannelAction, updateChannelAction } from '../../../../_actions/notifications.ts'
import { Checkbox, toggled } from '../../../../_tokens/checkbox.client.tsx'
import type { TeamPlaces } from '../../../../_tokens/places.ts'
import { TextField } from '../../../../_ui/field.client.tsx'
import { DialogForm } from '../../../../_ui/form.client.tsx'
import { SelectField } from '../../../../_ui/select.client.tsx'
import { useAction } from '../../../../_ui/use-action.ts'

interface ChannelFormProps {
  team: TeamPlaces
  people: { id: string; name: string }[]
  /** What is changed; without one, a new one is made. */
  channel?: NotificationChannel
  /** With the key of a new webhook; null for all else. */
  onDone(secret: string | null): void
}

const everywhere = 'all'
const asItIs = 'asItIs'
const scopes = ['someEvents', 'allEvents', 'chosenEvents'] as const
type Scope = (typeof scopes)[number] | typeof asItIs

/** What the API allows and this form can't show stays as it is. */
function scopeOf(channel: NotificationChannel | undefined): Scope {
  if (channel === undefined) return 'someEvents'
  const events = new Set(channel.events)
  if (events.has('*')) return 'allEvents'
  if (events.size === usualEvents.length && usualEvents.every((each) => events.has(each))) return 'someEvents'
  return channel.events.every((each) => isArea(each)) ? 'chosenEvents' : asItIs
}

function placeOf(channel: NotificationChannel | undefined): string {
  const [place, ...others] = [...(channel?.projectIds ?? []), ...(channel?.appIds ?? [])]
  return others.length > 0 ? asItIs : (place ?? everywhere)
}

const isArea = (text: string) => appEventAreas.some((area) => area === text)

/** Where messages go, and which: of what, of which apps. */
export function ChannelForm({ team, people, channel, onDone }: ChannelFormProps) {
  const t = useTranslations('notifications')
  const tAreas = useTranslations('timeline.areas')
  const tCommon = useTranslations('common')
  const { run, pending, form, errorOf, summary } = useAction()
  const [kind, setKind] = useState<ChannelKind>(channel?.kind ?? 'webhook')
  const [userIds, setUserIds] = useState<string[]>(
    () => channel?.recipients.flatMap(({ userId, isMember }) => (isMember ? [userId] : [])) ?? [],
  )
  const [scope, setScope] = useState<Scope>(() => scopeOf(channel))
  const [areas, setAreas] = useState<string[]>(() => channel?.events.filter(isArea) ?? [])
  const [place, setPlace] = useState(() => placeOf(channel))
  const problem = summary(['name', 'url', 'userIds', 'events'])
  const eventsError = errorOf('events')

  function submit(fields: FormData) {
    const chosen = { someEvents: [...usualEvents], allEvents: ['*'], chosenEvents: areas }
    const isProject = team.projects.some(({ id }) => id === place)
    const url = String(fields.get('url') ?? '')
    const input = {
      name: String(fields.get('name') ?? ''),
      ...(scope === asItIs ? {} : { events: chosen[scope] as CreateChannelInput['events'] }),
      ...(place === asItIs
        ? {}
        : {
            projectIds: isProject ? [place] : [],
            appIds: place === everywhere || isProject ? [] : [place],
          }),
      // The address is not shown again: with nothing in its field it stays.
      ...(kind === 'email' ? { userIds } : channel !== undefined && url === '' ? {} : { url }),
    }
    if (channel === undefined)
      run(() => createChannelAction(team.id, { kind, ...input }), { onDone: ({ secret }) => onDone(secret) })
    else run(() => updateChannelAction(channel.id, input), { done: t('saved'), onDone: () => onDone(null) })
  }

  return (
    <DialogForm
      form={form}
      onSubmit={submit}
      problem={problem}
      pending={pending}
      submit={channel === undefined ? t('create') : tCommon('save')}
    >
      {channel === undefined && (
        <SelectField
          label={t('kind')}
          value={kind}
          onValueChange={(value) => setKind(channelKinds.find((each) => each === value) ?? 'webhook')}
          items={channelKinds.map((value) => ({ value, label: t(`kinds.${value}`) }))}
        />
      )}
      <TextField
        label={t('name')}
        name="name"
        defaultValue={channel?.name}
        error={errorOf('name')}
        autoFocus
      />
      {kind === 'email' ? (
        <fieldset className="max-h-40 overflow-y-auto rounded-lg border px-3 py-2">
          <legend className="px-1 font-medium">{t('recipients')}</legend>
          {people.map(({ id, name }) => (
            <Checkbox
              key={id}
              label={name}
              checked={userIds.includes(id)}
              onCheckedChange={(checked) => setUserIds(toggled(userIds, id, checked))}
            />
          ))}
          {errorOf('userIds') && <p className="text-[13px] text-danger">{errorOf('userIds')}</p>}
        </fieldset>
      ) : (
        <TextField
          label={t('url')}
          name="url"
          type="url"
          mono
          placeholder={channel?.urlHint ?? 'https://'}
          hint={channel === undefined ? undefined : t('unchanged')}
          description={channel === undefined ? t(`urlDescription.${kind}`) : t('urlStays')}
          error={errorOf('url')}
        />
      )}
      <SelectField
        label={t('events')}
        value={scope}
        onValueChange={(value) => setScope(scopes.find((each) => each === value) ?? asItIs)}
        items={[...(scopeOf(channel) === asItIs ? ([asItIs] as const) : []), ...scopes].map((value) => ({
          value,
          label: t(value),
        }))}
      />
      {scope === 'chosenEvents' && (
        <fieldset className="rounded-lg border px-3 py-2">
          <legend className="sr-only">{t('chosenEvents')}</legend>
          <div className="grid grid-cols-2 gap-x-4">
            {appEventAreas.map((area) => (
              <Checkbox
                key={area}
                label={tAreas(area)}
                checked={areas.includes(area)}
                onCheckedChange={(checked) => setAreas(toggled(areas, area, checked))}
              />
            ))}
          </div>
          {eventsError !== undefined && <p className="text-[13px] text-danger">{eventsError}</p>}
        </fieldset>
      )}
      <SelectField
        label={t('places')}
        value={place}
        onValueChange={setPlace}
        items={[
          ...(placeOf(channel) === asItIs ? [{ value: asItIs, label: t(asItIs) }] : []),
          { value: everywhere, label: t('allApps') },
          ...team.projects.flatMap((project) => [
            { value: project.id, label: project.name },
            ...project.apps.map(({ id, name }) => ({ value: id, label: `${project.name} / ${name}` })),
          ]),
        ]}
      />
    </DialogForm>
  )
}
