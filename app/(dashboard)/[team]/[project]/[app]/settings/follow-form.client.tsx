'use client'

import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { type Follow, followKinds } from '@/platform/model/follow.ts'
import type { FollowPreview } from '@/platform/model/follow-preview.ts'
import { updateAppAction } from '../../../../../_actions/apps.ts'
import { previewFollowAction } from '../../../../../_actions/registries.ts'
import { Button } from '../../../../../_ui/button.tsx'
import { TextField } from '../../../../../_ui/field.client.tsx'
import { shortDigest } from '../../../../../_ui/format.ts'
import { Notice } from '../../../../../_ui/notice.tsx'
import { SelectField } from '../../../../../_ui/select.client.tsx'
import { SwitchField } from '../../../../../_ui/switch.client.tsx'
import { useAction } from '../../../../../_ui/use-action.ts'

interface FollowFormProps {
  app: { id: string; projectId: string; image: string }
  /** In Berth's own registry, which tells of pushes by itself. */
  isOwn: boolean
  follow: Follow | null
}

const placeholders = { tag: 'stable', version: '^1.4', pattern: 'release-*' }
const minutes = [1, 5, 15, 60, 360, 1_440]

/** Which pushes are deployed by themselves, and which tag that would be now. */
export function FollowForm({ app, isOwn, follow }: FollowFormProps) {
  const t = useTranslations('follow')
  const tCommon = useTranslations('common')
  const saving = useAction()
  const looking = useAction({ refresh: false })
  const [by, setBy] = useState<Follow['by']>(follow?.by ?? 'tag')
  const [every, setEvery] = useState((follow?.intervalSeconds ?? 300) / 60)
  const [found, setFound] = useState<FollowPreview | null>(null)
  // A registry elsewhere does not say what was pushed last.
  const kinds = followKinds.filter((kind) => !(kind === 'pattern' && !isOwn && by !== 'pattern'))
  const intervals = [...new Set([...minutes, every])].sort((a, b) => a - b)
  const action = looking.problem === null ? saving : looking
  const valueError = action.errorOf('follow.value') ?? action.errorOf('settings.follow.value')
  const problem = action.summary(['follow.value', 'settings.follow.value'])

  function read(form: HTMLFormElement): Follow {
    const data = new FormData(form)
    return {
      by,
      value: String(data.get('value') ?? ''),
      preReleases: by === 'version' && data.get('preReleases') !== null,
      intervalSeconds: every * 60,
    }
  }

  const save = (next: Follow | null) =>
    saving.run(() => updateAppAction(app.id, { settings: { follow: next } }), { done: tCommon('saved') })

  return (
    <form
      ref={(form) => {
        saving.form.current = form
        looking.form.current = form
      }}
      noValidate
      className="space-y-4 p-5"
      onChange={() => setFound(null)}
      onSubmit={(event) => {
        event.preventDefault()
        looking.clear()
        save(read(event.currentTarget))
      }}
    >
      <div className="grid gap-4 sm:grid-cols-2">
        <SelectField
          label={t('by')}
          items={kinds.map((kind) => ({ value: kind, label: t(`kinds.${kind}`) }))}
          value={by}
          onValueChange={(value) => {
            setBy(followKinds.find((kind) => kind === value) ?? 'tag')
            setFound(null)
          }}
        />
        <TextField
          key={by}
          mono
          label={t(`value.${by}`)}
          description={t(`hint.${by}`)}
          name="value"
          spellCheck={false}
          placeholder={placeholders[by]}
          defaultValue={follow?.by === by ? follow.value : ''}
          error={valueError}
        />
        {!isOwn && (
          <SelectField
            label={t('interval')}
            description={t('intervalHint')}
            items={intervals.map((each) => ({
              value: String(each),
              label: each % 60 === 0 ? t('hours', { count: each / 60 }) : t('minutes', { count: each }),
            }))}
            value={String(every)}
            onValueChange={(value) => setEvery(Number(value))}
          />
        )}
      </div>
      {by === 'version' && (
        <SwitchField
          name="preReleases"
          label={t('preReleases')}
          description={t('preReleasesHint')}
          defaultChecked={follow?.preReleases ?? false}
        />
      )}
      {problem !== null && <Notice tone="danger">{problem}</Notice>}
      {found !== null && (
        <Notice tone={found.tag === null ? 'warning' : 'info'}>
          {found.tag === null
            ? t('nothingFits')
            : t('wouldRun', { tag: found.tag, digest: shortDigest(found.digest ?? '') })}
          {found.fittingCount > 1 &&
            ` ${t('fitting', { count: found.fittingCount, tags: found.fitting.join(', ') })}`}
        </Notice>
      )}
      <div className="flex flex-wrap gap-2 border-t pt-4">
        <Button tone="primary" type="submit" pending={saving.pending}>
          {follow === null ? t('start') : tCommon('save')}
        </Button>
        <Button
          pending={looking.pending}
          onClick={(event) => {
            const { form } = event.currentTarget
            if (form === null) return
            saving.clear()
            setFound(null)
            looking.run(() => previewFollowAction(app.projectId, { image: app.image, follow: read(form) }), {
              onDone: setFound,
            })
          }}
        >
          {t('preview')}
        </Button>
        {follow !== null && (
          <Button
            pending={saving.pending}
            onClick={() => {
              looking.clear()
              save(null)
            }}
          >
            {t('stop')}
          </Button>
        )}
      </div>
    </form>
  )
}
