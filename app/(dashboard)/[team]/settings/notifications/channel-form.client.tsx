'use client'

import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { appEventAreas } from '@/platform/model/app-event-kinds.ts'
import {
  type ChannelKind,
  type CreateChannelInput,
  channelKinds,
  usualEvents,
} from '@/platform/model/notifications.ts'
import { createChannelAction } from '../../../../_actions/notifications.ts'
import { Checkbox, toggled } from '../../../../_tokens/checkbox.client.tsx'
import type { TeamPlaces } from '../../../../_tokens/places.ts'
import { Button } from '../../../../_ui/button.tsx'
import { ModalClose } from '../../../../_ui/dialog.client.tsx'
import { TextField } from '../../../../_ui/field.client.tsx'
import { Notice } from '../../../../_ui/notice.tsx'
import { SelectField } from '../../../../_ui/select.client.tsx'
import { useAction } from '../../../../_ui/use-action.ts'

interface ChannelFormProps {
  team: TeamPlaces
  people: { id: string; name: string }[]
  /** With the key of a webhook; null for the others. */
  onDone(secret: string | null): void
}

const everywhere = 'all'
const scopes = ['someEvents', 'allEvents', 'chosenEvents'] as const

/** Where messages go, and which: of what, of which apps. */
export function ChannelForm({ team, people, onDone }: ChannelFormProps) {
  const t = useTranslations('notifications')
  const tAreas = useTranslations('timeline.areas')
  const tCommon = useTranslations('common')
  const { run, pending, form, errorOf, summary } = useAction()
  const [kind, setKind] = useState<ChannelKind>('webhook')
  const [userIds, setUserIds] = useState<string[]>([])
  const [scope, setScope] = useState<(typeof scopes)[number]>('someEvents')
  const [areas, setAreas] = useState<string[]>([])
  const [place, setPlace] = useState(everywhere)
  const problem = summary(['name', 'url', 'userIds', 'events'])
  const eventsError = errorOf('events')

  function submit(fields: FormData) {
    const chosen = { someEvents: [...usualEvents], allEvents: ['*'], chosenEvents: areas }[scope]
    const isProject = team.projects.some(({ id }) => id === place)
    const input = {
      ...{ kind, name: String(fields.get('name') ?? ''), events: chosen as CreateChannelInput['events'] },
      ...(kind === 'email' ? { userIds } : { url: String(fields.get('url') ?? '') }),
      projectIds: isProject ? [place] : [],
      appIds: place === everywhere || isProject ? [] : [place],
    }
    run(() => createChannelAction(team.id, input), { onDone: ({ secret }) => onDone(secret) })
  }

  return (
    <form
      ref={form}
      noValidate
      className="space-y-4"
      onSubmit={(event) => {
        event.preventDefault()
        submit(new FormData(event.currentTarget))
      }}
    >
      <SelectField
        label={t('kind')}
        value={kind}
        onValueChange={(value) => setKind(channelKinds.find((each) => each === value) ?? 'webhook')}
        items={channelKinds.map((value) => ({ value, label: t(`kinds.${value}`) }))}
      />
      <TextField label={t('name')} name="name" error={errorOf('name')} autoFocus />
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
          placeholder="https://"
          description={t(`urlDescription.${kind}`)}
          error={errorOf('url')}
        />
      )}
      <SelectField
        label={t('events')}
        value={scope}
        onValueChange={(value) => setScope(scopes.find((each) => each === value) ?? 'someEvents')}
        items={scopes.map((value) => ({ value, label: t(value) }))}
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
          { value: everywhere, label: t('allApps') },
          ...team.projects.flatMap((project) => [
            { value: project.id, label: project.name },
            ...project.apps.map(({ id, name }) => ({ value: id, label: `${project.name} / ${name}` })),
          ]),
        ]}
      />
      {problem !== null && <Notice tone="danger">{problem}</Notice>}
      <div className="flex justify-end gap-2">
        <ModalClose render={<Button>{tCommon('cancel')}</Button>} />
        <Button type="submit" tone="primary" pending={pending}>
          {t('create')}
        </Button>
      </div>
    </form>
  )
}
