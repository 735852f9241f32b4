'use client'

import { useTranslations } from 'next-intl'
import { renameTeamAction } from '../../../_actions/teams.ts'
import { TextField } from '../../../_ui/field.client.tsx'
import { Form } from '../../../_ui/form.client.tsx'
import { useAction } from '../../../_ui/use-action.ts'

interface TeamNameFormProps {
  team: { id: string; name: string }
  canRename: boolean
}

export function TeamNameForm({ team, canRename }: TeamNameFormProps) {
  const t = useTranslations('team')
  const tCommon = useTranslations('common')
  const { run, pending, form, errorOf, summary } = useAction()
  const problem = summary(['name'])
  return (
    <Form
      form={form}
      onSubmit={(data) => {
        const name = String(data.get('name') ?? '')
        run(() => renameTeamAction(team.id, name), { done: tCommon('saved') })
      }}
      problem={problem}
      pending={pending}
      submit={tCommon('save')}
      readOnly={!canRename}
    >
      <TextField
        label={t('name')}
        name="name"
        defaultValue={team.name}
        disabled={!canRename}
        error={errorOf('name')}
      />
    </Form>
  )
}
