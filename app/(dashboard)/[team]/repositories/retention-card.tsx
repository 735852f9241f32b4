import type { Repository } from '@/platform/model/repositories.ts'
import { getTeamRetention } from '@/platform/registry/retention.ts'
import { enter } from '../../../_shell/load.ts'
import { RetentionForm } from './retention-form.client.tsx'

/** What a repository keeps, by its own rules or its team's. */
export async function RetentionCard({ repository }: { repository: Repository }) {
  const { platform, viewer } = await enter()
  const { id, teamId, retention } = repository
  const rules = retention ?? (await getTeamRetention(platform, viewer, teamId))
  return <RetentionForm rules={rules} of={{ repositoryId: id, hasOwn: retention !== null }} />
}
