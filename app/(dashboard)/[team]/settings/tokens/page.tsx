import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import { roleIncludes } from '@/platform/model/roles.ts'
import { scopeActions } from '@/platform/token-scope.ts'
import { listTeamTokens } from '@/platform/tokens.ts'
import { enter, loadTeam } from '../../../../_shell/load.ts'
import { CreateTokenButton } from '../../../../_tokens/create-token-button.client.tsx'
import { loadPlaces } from '../../../../_tokens/load-places.ts'
import { TokenRows } from '../../../../_tokens/token-rows.tsx'
import { Card, CardHeader } from '../../../../_ui/card.tsx'
import { Notice } from '../../../../_ui/notice.tsx'
import { SettingsFrame } from '../settings-frame.tsx'

export async function generateMetadata(): Promise<Metadata> {
  const t = await getTranslations('tokens')
  return { title: t('ofTeam') }
}

/** The team's own tokens: its service accounts. */
export default async function TeamTokensPage({ params }: PageProps<'/[team]/settings/tokens'>) {
  const team = await loadTeam((await params).team)
  const t = await getTranslations('tokens')
  return (
    <SettingsFrame team={team}>
      {roleIncludes(team.role, 'admin') ? (
        <Card aria-labelledby="tokens">
          <CardHeader
            titleId="tokens"
            title={t('ofTeam')}
            description={t('ofTeamDescription')}
            actions={<CreateTokenButton teams={[await loadPlaces(team)]} isOfTeam actions={scopeActions} />}
          />
          <div className="mt-4 border-t">
            <TeamTokens teamId={team.id} />
          </div>
        </Card>
      ) : (
        <Notice tone="warning">{t('ofTeamNotAllowed')}</Notice>
      )}
    </SettingsFrame>
  )
}

async function TeamTokens({ teamId }: { teamId: string }) {
  const { platform, viewer } = await enter()
  const { data } = await listTeamTokens(platform, viewer, teamId, { limit: 100 })
  return <TokenRows tokens={data} />
}
