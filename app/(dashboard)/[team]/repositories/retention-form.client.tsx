'use client'

import { useTranslations } from 'next-intl'
import { type ReactNode, useState } from 'react'
import type { RetentionPlan } from '@/platform/model/repositories.ts'
import type { Retention, RetentionInput } from '@/platform/model/retention.ts'
import {
  previewRetentionAction,
  setTeamRetentionAction,
  updateRepositoryAction,
} from '../../../_actions/repositories.ts'
import { Button } from '../../../_ui/button.tsx'
import { Card, CardHeader } from '../../../_ui/card.tsx'
import { TextField } from '../../../_ui/field.client.tsx'
import { Notice } from '../../../_ui/notice.tsx'
import { useAction } from '../../../_ui/use-action.ts'
import { RetentionPreview } from './retention-preview.client.tsx'

interface RetentionFormProps {
  /** The rules that are in force. */
  rules: Retention | null
  /** Of one repository, which may have rules of its own; or of the whole team. */
  of: { repositoryId: string; hasOwn: boolean } | { teamId: string }
}

const fields = ['keepLast', 'keepTags', 'untaggedDays']

/** What is kept, and for a repository what would go by it. */
export function RetentionForm({ rules, of }: RetentionFormProps) {
  const t = useTranslations('repositories.retention')
  const tCommon = useTranslations('common')
  const saving = useAction()
  const looking = useAction({ refresh: false })
  const [plan, setPlan] = useState<RetentionPlan | null>(null)
  const isRepository = 'repositoryId' in of
  const problem = looking.problem === null ? saving : looking
  const errorOf = (path: string) => problem.errorOf(path) ?? problem.errorOf(`retention.${path}`)
  const keepTagsError = [...Array(20).keys()].map((at) => errorOf(`keepTags.${at}`)).find(Boolean)
  const rest = problem.problem?.fields.some(({ path }) => fields.some((field) => path.includes(field)))

  function save(retention: RetentionInput | null) {
    looking.clear()
    saving.run(
      () =>
        isRepository
          ? updateRepositoryAction(of.repositoryId, { retention })
          : setTeamRetentionAction(of.teamId, retention),
      { done: tCommon('saved') },
    )
  }

  return (
    <Card>
      <CardHeader
        title={isRepository ? t('title') : t('teamTitle')}
        description={isRepository ? (of.hasOwn ? t('own') : t('inherited')) : t('teamDescription')}
      />
      <form
        ref={saving.form}
        className="space-y-4 p-5"
        onSubmit={(event) => {
          event.preventDefault()
          save(read(event.currentTarget))
        }}
      >
        <Fields>
          <TextField
            label={t('keepLast')}
            description={t('keepLastDescription')}
            name="keepLast"
            inputMode="numeric"
            defaultValue={rules?.keepLast?.toString() ?? ''}
            error={errorOf('keepLast')}
          />
          <TextField
            label={t('untaggedDays')}
            description={t('untaggedDaysDescription')}
            name="untaggedDays"
            inputMode="numeric"
            defaultValue={rules?.untaggedDays?.toString() ?? ''}
            error={errorOf('untaggedDays')}
          />
        </Fields>
        <TextField
          mono
          label={t('keepTags')}
          description={t('keepTagsDescription')}
          name="keepTags"
          placeholder="latest, v*, ^2.1"
          defaultValue={rules?.keepTags.join(', ') ?? ''}
          error={errorOf('keepTags') ?? keepTagsError}
        />
        {problem.problem !== null && !rest && <Notice tone="danger">{problem.summary()}</Notice>}
        <div className="flex flex-wrap gap-2">
          <Button tone="primary" type="submit" pending={saving.pending}>
            {tCommon('save')}
          </Button>
          {isRepository && (
            <Button
              type="button"
              pending={looking.pending}
              onClick={(event) => {
                const form = event.currentTarget.form
                if (form === null) return
                saving.clear()
                looking.run(() => previewRetentionAction(of.repositoryId, read(form)), { onDone: setPlan })
              }}
            >
              {t('preview')}
            </Button>
          )}
          {(isRepository ? of.hasOwn : rules !== null) && (
            <Button type="button" pending={saving.pending} onClick={() => save(null)}>
              {isRepository ? t('useTeams') : t('keepAll')}
            </Button>
          )}
        </div>
        {plan !== null && <RetentionPreview plan={plan} />}
      </form>
    </Card>
  )
}

function Fields({ children }: { children: ReactNode }) {
  return <div className="grid gap-4 sm:grid-cols-2">{children}</div>
}

/** As typed: what is no number is sent as what the platform refuses in words. */
function read(form: HTMLFormElement): RetentionInput {
  const data = new FormData(form)
  const text = (name: string) => String(data.get(name) ?? '').trim()
  const number = (name: string) => (text(name) === '' ? null : Number(text(name)) || 0)
  return {
    keepLast: number('keepLast'),
    keepTags: text('keepTags')
      .split(',')
      .map((each) => each.trim())
      .filter((each) => each !== ''),
    untaggedDays: number('untaggedDays'),
  }
}
