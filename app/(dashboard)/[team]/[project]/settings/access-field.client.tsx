'use client'

import { useTranslations } from 'next-intl'
import { useState } from 'react'
import type { ProjectMember } from '@/platform/model/resources.ts'
import type { ProjectAccess } from '@/platform/model/roles.ts'
import { changeProjectAccessAction } from '../../../../_actions/teams.ts'
import { SelectField } from '../../../../_ui/select.client.tsx'
import { useAction } from '../../../../_ui/use-action.ts'

interface AccessFieldProps {
  projectId: string
  member: ProjectMember
  /** Those that the viewer may give. */
  accesses: ProjectAccess[]
}

/** Works as soon as something is chosen. */
export function AccessField({ projectId, member, accesses }: AccessFieldProps) {
  const t = useTranslations('teamPages')
  const tTeam = useTranslations('team')
  const tCommon = useTranslations('common')
  const { run, pending } = useAction()
  const [chosen, setChosen] = useState(member.access)

  function words(access: ProjectAccess): string {
    if (access === 'team') return t('asInTeam', { role: tTeam(`role.${member.teamRole}`) })
    return access === 'none' ? t('noAccess') : tTeam(`role.${access}`)
  }

  return (
    <SelectField
      label={<span className="sr-only">{t('accessOf', { name: member.name })}</span>}
      className="w-full sm:w-56 [&>div:first-child]:mb-0"
      // Until the page knows better: what was just chosen.
      value={pending ? chosen : member.access}
      onValueChange={(value) => {
        const access = accesses.find((known) => known === value)
        if (access === undefined || access === member.access) return
        setChosen(access)
        run(() => changeProjectAccessAction(projectId, member.userId, { access }), {
          done: tCommon('saved'),
        })
      }}
      items={accesses.map((access) => ({ value: access, label: words(access) }))}
    />
  )
}
