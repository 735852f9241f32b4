import { CircleCheck, CircleSlash, CircleX, Clock, LoaderCircle, SkipForward } from 'lucide-react'
import { useTranslations } from 'next-intl'
import type { RunStatus } from '@/platform/model/runs.ts'
import { type Look, LookBadge } from '../../../../../_ui/status-badge.tsx'

const looks: Record<RunStatus, Look> = {
  queued: { tone: 'accent', icon: Clock },
  running: { tone: 'accent', icon: LoaderCircle, spins: true },
  succeeded: { tone: 'success', icon: CircleCheck },
  failed: { tone: 'danger', icon: CircleX },
  canceled: { tone: 'neutral', icon: CircleSlash },
  skipped: { tone: 'warning', icon: SkipForward },
}

export function RunStatusBadge({ status }: { status: RunStatus }) {
  const t = useTranslations('jobs')
  return <LookBadge look={looks[status]} label={t(`status.${status}`)} />
}
