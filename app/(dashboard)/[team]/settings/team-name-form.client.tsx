'use client'

import { useTranslations } from 'next-intl'
import { renameTeamAction } from '../../../_actions/teams.ts'
import { Button } from '../../../_ui/button.tsx'
import { TextField } from '../../../_ui/field.client.tsx'
import { Notice } from '../../../_ui/notice.tsx'
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
    <form
      ref={form}
      noValidate
      className="space-y-4"
      onSubmit={(event) => {
        event.preventDefault()
        const name = String(new FormData(event.currentTarget).get('name') ?? '')
        run(() => renameTeamAction(team.id, name), { done: tCommon('saved') })
      }}
    >
      <TextField
        label={t('name')}
        name="name"
        defaultValue={team.name}
        disabled={!canRename}
        error={errorOf('name')}
      />
      {problem !== null && <Notice tone="danger">{problem}</Notice>}
      {canRename && (
        <div className="flex justify-end">
          <Button tone="primary" type="submit" pending={pending}>
            {tCommon('save')}
          </Button>
        </div>
      )}
    </form>
  )
}
