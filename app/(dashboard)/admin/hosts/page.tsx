import { CircleAlert, CircleCheck, CircleDashed, Server } from 'lucide-react'
import type { Metadata } from 'next'
import Link from 'next/link'
import { getLocale, getTranslations } from 'next-intl/server'
import { listHosts } from '@/platform/host-admin.ts'
import type { ManagedHost } from '@/platform/model/administration.ts'
import { enter } from '../../../_shell/load.ts'
import { Badge, type Tone } from '../../../_ui/badge.tsx'
import { Card, CardHeader } from '../../../_ui/card.tsx'
import { EmptyState } from '../../../_ui/empty-state.tsx'
import { formatBytes } from '../../../_ui/format.ts'
import { MoreLink } from '../../../_ui/more-link.tsx'
import { queryOf } from '../../../_ui/query.ts'
import { RelativeTime } from '../../../_ui/relative-time.client.tsx'
import { CordonButton } from './cordon-button.client.tsx'
import { HostAlerts } from './host-alerts.tsx'
import { RegistryCard } from './registry-card.tsx'

export async function generateMetadata(): Promise<Metadata> {
  const t = await getTranslations('admin')
  return { title: t('hosts') }
}

/** The machines that apps run on, and how they are. */
export default async function HostsPage({ searchParams }: PageProps<'/admin/hosts'>) {
  const { cursor } = queryOf(await searchParams, ['cursor'])
  const { platform, viewer } = await enter()
  const [t, { data, nextCursor }] = await Promise.all([
    getTranslations('admin'),
    listHosts(platform, viewer, { cursor, limit: 30 }),
  ])
  if (data.length === 0)
    return <EmptyState icon={Server} title={t('noHosts')} description={t('noHostsDescription')} />
  return (
    <>
      <ul className="space-y-5" aria-label={t('hosts')}>
        {data.map((host) => (
          <li key={host.id}>
            <HostCard host={host} />
          </li>
        ))}
      </ul>
      <MoreLink path="/admin/hosts" query={{}} nextCursor={nextCursor} />
      <RegistryCard />
    </>
  )
}

const looks: Record<ManagedHost['state'], { tone: Tone; icon: typeof CircleCheck }> = {
  online: { tone: 'success', icon: CircleCheck },
  away: { tone: 'danger', icon: CircleAlert },
  'never-seen': { tone: 'neutral', icon: CircleDashed },
}

async function HostCard({ host }: { host: ManagedHost }) {
  const [t, locale] = await Promise.all([getTranslations('admin'), getLocale()])
  const { tone, icon: Icon } = looks[host.state]
  const { version, cpus, memoryBytes, kernel, runtime, runtimeVersion } = host.facts
  const facts: [string, string][] = [
    [t('host.version'), text(version)],
    [t('host.cpus'), text(cpus)],
    [t('host.memory'), typeof memoryBytes === 'number' ? formatBytes(memoryBytes, locale) : '—'],
    [t('host.kernel'), text(kernel)],
    [t('host.runtime'), [runtime, runtimeVersion].map(text).join(' ')],
    [
      t('host.apps'),
      t('host.appsAndContainers', { apps: host.appCount, containers: host.runningContainerCount }),
    ],
  ]
  return (
    <Card aria-label={host.name}>
      <CardHeader
        title={
          <Link href={`/admin/hosts/${host.id}`} className="rounded hover:underline">
            {host.name}
          </Link>
        }
        description={
          host.lastSeenAt !== null && (
            <>
              {t('lastSeen')} <RelativeTime at={host.lastSeenAt} />
            </>
          )
        }
        actions={
          <>
            {host.cordonedAt !== null && <Badge tone="warning">{t('host.cordoned')}</Badge>}
            <Badge tone={tone}>
              <Icon aria-hidden />
              {t(`host.state.${host.state}`)}
            </Badge>
            <CordonButton id={host.id} name={host.name} isCordoned={host.cordonedAt !== null} />
          </>
        }
      />
      <dl className="grid grid-cols-2 gap-x-6 gap-y-3 p-5 sm:grid-cols-3">
        {facts.map(([label, value]) => (
          <div key={label}>
            <dt className="text-muted text-xs">{label}</dt>
            <dd className="break-words font-medium">{value}</dd>
          </div>
        ))}
      </dl>
      <HostAlerts id={host.id} />
    </Card>
  )
}

function text(fact: string | number | boolean | null | undefined): string {
  return fact === null || fact === undefined ? '—' : String(fact)
}
