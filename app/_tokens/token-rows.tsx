import { KeyRound } from 'lucide-react'
import { getTranslations } from 'next-intl/server'
import type { Team, Token } from '@/platform/model/resources.ts'
import { Badge } from '../_ui/badge.tsx'
import { RelativeTime } from '../_ui/relative-time.client.tsx'
import { RevokeButton } from './revoke-button.client.tsx'
import { TakeOverButton } from './take-over-button.client.tsx'

interface TokenRowsProps {
  tokens: Token[]
  /** Of a person: to say which team a token is limited to. */
  teams?: Team[]
}

/** Tokens with what they are for, and when and from where they were used last. */
export async function TokenRows({ tokens, teams }: TokenRowsProps) {
  const [t, tTokens, tTeam] = await Promise.all([
    getTranslations('account'),
    getTranslations('tokens'),
    getTranslations('team'),
  ])
  if (tokens.length === 0) {
    return (
      <p className="flex items-center gap-2.5 px-5 py-6 text-muted">
        <KeyRound aria-hidden className="size-4" />
        {t('noTokens')}
      </p>
    )
  }
  return (
    <ul className="divide-y" aria-label={t('tokens')}>
      {tokens.map((token) => {
        const reached = token.projectIds.length + token.appIds.length + token.repositories.length
        const isStopped = token.maker !== null && !token.maker.isMember
        return (
          <li key={token.id} className="flex flex-wrap items-center gap-x-4 gap-y-2 px-5 py-3">
            <div className="min-w-0 flex-[1_1_14rem]">
              <p className="truncate font-medium">
                {token.name}{' '}
                <code className="ml-1 font-mono font-normal text-muted text-xs">{token.hint}…</code>
              </p>
              <p className="text-muted text-xs">
                {token.lastUsedAt === null ? (
                  t('neverUsed')
                ) : (
                  <>
                    {t('lastUsed')} <RelativeTime at={token.lastUsedAt} />
                    {token.lastUsedAddress !== null && (
                      <> {tTokens('from', { address: token.lastUsedAddress })}</>
                    )}
                  </>
                )}
                {token.expiresAt !== null && (
                  <>
                    {' · '}
                    {t('expires', { date: new Date(token.expiresAt) })}
                  </>
                )}
                {token.maker !== null && (
                  <>
                    {' · '}
                    {tTokens('madeBy', { name: token.maker.name })}
                  </>
                )}
              </p>
              <p className="mt-1.5 flex flex-wrap gap-1.5">
                <Badge>{tTokens(`uses.${token.preset ?? 'chosen'}`)}</Badge>
                {teams !== undefined && (
                  <Badge>{teams.find(({ id }) => id === token.teamId)?.name ?? t('allTeams')}</Badge>
                )}
                {reached > 0 && <Badge>{tTokens('reached', { count: reached })}</Badge>}
                <Badge>{tTeam(`role.${token.role}`)}</Badge>
                {token.addresses.length > 0 && (
                  <Badge>{tTokens('networkCount', { count: token.addresses.length })}</Badge>
                )}
                {isStopped && <Badge tone="warning">{tTokens('stopped')}</Badge>}
              </p>
            </div>
            {isStopped && <TakeOverButton id={token.id} name={token.name} />}
            <RevokeButton id={token.id} name={token.name} />
          </li>
        )
      })}
    </ul>
  )
}
