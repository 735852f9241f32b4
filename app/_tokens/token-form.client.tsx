'use client'

import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { type Role, roles } from '@/platform/model/roles.ts'
import { presetNames, type TokenPreset } from '@/platform/model/scopes.ts'
import { createTeamTokenAction, createTokenAction } from '../_actions/account.ts'
import { TextAreaField, TextField } from '../_ui/field.client.tsx'
import { DialogForm } from '../_ui/form.client.tsx'
import { SelectField } from '../_ui/select.client.tsx'
import { useAction } from '../_ui/use-action.ts'
import { ActionChoice } from './action-choice.client.tsx'
import { PlaceChoice } from './place-choice.client.tsx'
import type { TeamPlaces } from './places.ts'

const every = 'every'
const lifetimes = ['30', '90', '365', 'never'] as const

export interface TokenFormProps {
  /** Of a person: the teams to choose from. Of a team: that one. */
  teams: TeamPlaces[]
  isOfTeam: boolean
  /** Names of all that a token can be for. */
  actions: string[]
  onDone(secret: string): void
}

/** What a new token is for, what it reaches, and from where and how long it works. */
export function TokenForm({ teams, isOfTeam, actions, onDone }: TokenFormProps) {
  const t = useTranslations('account')
  const tTokens = useTranslations('tokens')
  const tTeam = useTranslations('team')
  const { run, pending, form, errorOf, summary } = useAction()
  const [team, setTeam] = useState(isOfTeam ? (teams[0]?.id ?? every) : every)
  const [role, setRole] = useState<Role>('developer')
  const [use, setUse] = useState<TokenPreset | 'chosen'>(isOfTeam ? 'deploy' : 'all')
  const [chosen, setChosen] = useState<string[]>([])
  const [places, setPlaces] = useState<string[] | null>(null)
  const [lifetime, setLifetime] = useState<string>('90')
  const networkPaths = Array.from({ length: 50 }, (_, index) => `addresses.${index}`)
  const repositoryPaths = Array.from({ length: 100 }, (_, index) => `repositories.${index}`)
  const problem = summary(['name', 'actions', ...networkPaths, ...repositoryPaths])
  const current = teams.find(({ id }) => id === team)

  function submit(fields: FormData) {
    const text = (name: string) => String(fields.get(name) ?? '')
    const words = (name: string) =>
      text(name)
        .split(/[\s,]+/)
        .filter((word) => word !== '')
    const appIds = new Set(current?.projects.flatMap((project) => project.apps.map(({ id }) => id)))
    const input = {
      ...{ name: text('name'), role, addresses: words('addresses') },
      expiresAt:
        lifetime === 'never' ? undefined : new Date(Date.now() + Number(lifetime) * 86_400_000).toISOString(),
      ...(use === 'chosen' ? { actions: chosen } : { preset: use }),
      projectIds: (places ?? []).filter((id) => !appIds.has(id)),
      appIds: (places ?? []).filter((id) => appIds.has(id)),
      repositories: places === null ? [] : words('repositories'),
    }
    run(
      () =>
        isOfTeam
          ? createTeamTokenAction(team, input)
          : createTokenAction({ ...input, teamId: team === every ? undefined : team }),
      { onDone: ({ secret }) => onDone(secret) },
    )
  }

  return (
    <DialogForm form={form} onSubmit={submit} problem={problem} pending={pending} submit={t('create')}>
      <TextField label={t('tokenName')} name="name" error={errorOf('name')} autoFocus />
      <SelectField
        label={tTokens('use')}
        description={tTokens(`useDescription.${use}`)}
        value={use}
        onValueChange={(value) => setUse(presetNames.find((name) => name === value) ?? 'chosen')}
        items={([...presetNames, 'chosen'] as const).map((value) => ({
          value,
          label: tTokens(`uses.${value}`),
        }))}
      />
      {use === 'chosen' && (
        <ActionChoice actions={actions} chosen={chosen} onChange={setChosen} error={errorOf('actions')} />
      )}
      {!isOfTeam && (
        <SelectField
          label={t('tokenTeam')}
          value={team}
          onValueChange={(value) => {
            setTeam(value)
            setPlaces(null)
          }}
          items={[
            { value: every, label: t('allTeams') },
            ...teams.map(({ id, name }) => ({ value: id, label: name })),
          ]}
        />
      )}
      {current !== undefined && (
        <PlaceChoice
          team={current}
          chosen={places}
          onChange={setPlaces}
          repositoryError={repositoryPaths.map(errorOf).find((error) => error !== undefined)}
        />
      )}
      <div className="grid grid-cols-2 gap-4">
        <SelectField
          label={t('tokenRole')}
          value={role}
          onValueChange={(value) => setRole(roles.find((known) => known === value) ?? 'developer')}
          items={roles.map((value) => ({ value, label: tTeam(`role.${value}`) }))}
        />
        <SelectField
          label={t('tokenLifetime')}
          value={lifetime}
          onValueChange={setLifetime}
          items={lifetimes.map((value) => ({ value, label: t(`lifetime.${value}`) }))}
        />
      </div>
      <TextAreaField
        label={tTokens('networks')}
        hint={tTokens('optional')}
        name="addresses"
        rows={2}
        mono
        placeholder="203.0.113.0/24"
        description={tTokens('networksDescription')}
        error={networkPaths.map(errorOf).find((error) => error !== undefined)}
      />
    </DialogForm>
  )
}
