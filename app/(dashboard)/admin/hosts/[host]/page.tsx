import { ArrowLeft } from 'lucide-react'
import type { Metadata } from 'next'
import Link from 'next/link'
import { getTranslations } from 'next-intl/server'
import { loadHost } from '../../../../_shell/load.ts'
import { HostMetricsView } from './host-metrics-view.client.tsx'

type Props = PageProps<'/admin/hosts/[host]'>

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  return { title: (await loadHost((await params).host)).name }
}

/** What one machine used, over time. */
export default async function HostPage({ params }: Props) {
  const [t, host] = await Promise.all([getTranslations('admin'), loadHost((await params).host)])
  return (
    <div className="space-y-4">
      <Link
        href="/admin/hosts"
        className="inline-flex items-center gap-1.5 rounded text-muted text-sm hover:text-text"
      >
        <ArrowLeft aria-hidden className="size-4" />
        {t('hosts')}
      </Link>
      <h2 className="break-words font-semibold text-lg">{host.name}</h2>
      <HostMetricsView hostId={host.id} />
    </div>
  )
}
