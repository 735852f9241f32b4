import { getTranslations } from 'next-intl/server'
import type { GitSource } from '@/platform/model/git-source.ts'
import { RelativeTime } from '../../../../../_ui/relative-time.client.tsx'

/** What was fetched last, and what the last look found. */
export async function SourceFacts({ source: { commit, look } }: { source: GitSource }) {
  const t = await getTranslations('git')
  if (commit === null && look === null) return null
  return (
    <dl className="grid gap-x-6 gap-y-4 sm:grid-cols-2">
      {commit !== null && (
        <div className="min-w-0">
          <dt className="text-muted text-xs">{t('lastCommit')}</dt>
          <dd className="break-words">
            <code className="font-mono text-[13px]">{commit.sha.slice(0, 12)}</code> {commit.subject}
            <span className="block text-muted text-xs">
              {commit.author} · <RelativeTime at={commit.at} />
            </span>
          </dd>
        </div>
      )}
      {look !== null && (
        <div className="min-w-0">
          <dt className="text-muted text-xs">{t('lastLook')}</dt>
          <dd>
            {look.result !== null && look.problem === null && t(`results.${look.result}`)}
            <span className="block text-muted text-xs">
              <RelativeTime at={look.at} />
            </span>
          </dd>
        </div>
      )}
    </dl>
  )
}
