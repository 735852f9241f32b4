import {
  CircleAlert,
  CircleCheck,
  CircleDashed,
  CircleSlash,
  CircleStop,
  CircleX,
  Clock,
  History,
  LoaderCircle,
  type LucideIcon,
  Trash2,
} from 'lucide-react'
import { useTranslations } from 'next-intl'
import type { AppStatus } from '@/platform/model/app-status.ts'
import type { DeploymentStatus } from '@/platform/model/deployment-status.ts'
import { Badge, type Tone } from './badge.tsx'

export interface Look {
  tone: Tone
  icon: LucideIcon
  spins?: boolean
}

const working: Look = { tone: 'accent', icon: LoaderCircle, spins: true }

const appLooks: Record<AppStatus, Look> = {
  empty: { tone: 'neutral', icon: CircleDashed },
  deploying: working,
  running: { tone: 'success', icon: CircleCheck },
  degraded: { tone: 'warning', icon: CircleAlert },
  stopped: { tone: 'neutral', icon: CircleStop },
  failed: { tone: 'danger', icon: CircleX },
  deleting: { tone: 'neutral', icon: Trash2 },
}

const deploymentLooks: Record<DeploymentStatus, Look> = {
  queued: { tone: 'accent', icon: Clock },
  building: working,
  pulling: working,
  releasing: working,
  starting: working,
  checking: working,
  routing: working,
  live: { tone: 'success', icon: CircleCheck },
  superseded: { tone: 'neutral', icon: History },
  failed: { tone: 'danger', icon: CircleX },
  canceled: { tone: 'neutral', icon: CircleSlash },
}

/** An app's or a deployment's status: always words and an icon beside the colour. */
export function AppStatusBadge({ status }: { status: AppStatus }) {
  const t = useTranslations('appStatus')
  return <LookBadge look={appLooks[status]} label={t(status)} />
}

export function DeploymentStatusBadge({ status }: { status: DeploymentStatus }) {
  const t = useTranslations('deploymentStatus')
  return <LookBadge look={deploymentLooks[status]} label={t(status)} />
}

export function LookBadge({ look, label }: { look: Look; label: string }) {
  const Icon = look.icon
  return (
    <Badge tone={look.tone}>
      <Icon aria-hidden className={look.spins ? 'animate-spin' : undefined} />
      {label}
    </Badge>
  )
}
