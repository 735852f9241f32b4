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
import { Form } from '../../../_ui/form.client.tsx'
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
      <Form
        form={saving.form}
        className="p-5"
        onSubmit={(data) => save(read(data))}
        problem={problem.problem === null || rest ? null : problem.summary()}
        pending={saving.pending}
        submit={tCommon('save')}
        actions={
          <>
            {(isRepository ? of.hasOwn : rules !== null) && (
              <Button pending={saving.pending} onClick={() => save(null)}>
                {isRepository ? t('useTeams') : t('keepAll')}
              </Button>
            )}
            {isRepository && (
              <Button
                pending={looking.pending}
                onClick={(event) => {
                  const { form } = event.currentTarget
                  if (form === null) return
                  saving.clear()
                  const input = read(new FormData(form))
                  looking.run(() => previewRetentionAction(of.repositoryId, input), { onDone: setPlan })
                }}
              >
                {t('preview')}
              </Button>
            )}
          </>
        }
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
      </Form>
      {plan !== null && (
        <div className="px-5 pb-5">
          <RetentionPreview plan={plan} />
        </div>
      )}
    </Card>
  )
}

function Fields({ children }: { children: ReactNode }) {
  return <div className="grid gap-4 sm:grid-cols-2">{children}</div>
}

/** As typed: what is no number is sent as what the platform refuses in words. */
function read(data: FormData): RetentionInput {
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
