'use client'

import { Check, ChevronsUpDown, Plus } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { MenuButton, MenuGroup, MenuItem, MenuLabel, MenuLink, MenuSeparator } from '../_ui/menu.client.tsx'
import { CreateTeamDialog } from './create-team-dialog.client.tsx'

interface TeamName {
  slug: string
  name: string
}

interface TeamSwitcherProps {
  current: TeamName | null
  teams: TeamName[]
  canCreate: boolean
}

export function TeamSwitcher({ current, teams, canCreate }: TeamSwitcherProps) {
  const t = useTranslations('shell')
  const [creating, setCreating] = useState(false)
  return (
    <>
      <MenuButton
        align="start"
        className="w-54"
        label={current === null ? t('chooseTeam') : t('team', { name: current.name })}
        triggerClassName="flex h-10 w-full items-center gap-2.5 rounded-lg border bg-surface px-2.5 text-left font-medium shadow-card hover:border-border-strong"
        trigger={
          <>
            <span
              aria-hidden
              className="grid size-6 shrink-0 place-items-center rounded-md bg-accent-soft text-accent-text text-xs uppercase"
            >
              {Array.from(current?.name ?? '?')[0]}
            </span>
            <span className="min-w-0 flex-1 truncate">{current?.name ?? t('chooseTeam')}</span>
            <ChevronsUpDown aria-hidden className="size-4 shrink-0 text-muted" />
          </>
        }
      >
        <MenuGroup>
          <MenuLabel>{t('teams')}</MenuLabel>
          {teams.map((team) => (
            <MenuLink key={team.slug} href={`/${team.slug}`}>
              <span className="min-w-0 flex-1 truncate">{team.name}</span>
              {team.slug === current?.slug && <Check aria-hidden className="text-accent-text" />}
            </MenuLink>
          ))}
        </MenuGroup>
        {canCreate && (
          <>
            <MenuSeparator />
            <MenuItem onClick={() => setCreating(true)}>
              <Plus aria-hidden />
              {t('createTeam')}
            </MenuItem>
          </>
        )}
      </MenuButton>
      <CreateTeamDialog open={creating} onOpenChange={setCreating} />
    </>
  )
}
