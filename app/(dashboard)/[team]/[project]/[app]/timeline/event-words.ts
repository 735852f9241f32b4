import { useLocale, useTranslations } from 'next-intl'
import type { AppEvent } from '@/platform/model/app-event-kinds.ts'
import { isFailureCode } from '@/platform/model/failure.ts'
import { web } from '@/platform/model/processes.ts'
import { runReasons } from '@/platform/model/runs.ts'
import { resizes, type Size } from '@/platform/model/scale.ts'
import { useAlertWords } from '../../../../../_ui/alert-words.ts'

/** An event in the reader's language; `detail` is what it is in other words, or what somebody's program said. */
export function useEventWords(event: AppEvent): { title: string; detail: string | null } {
  const t = useTranslations('timeline')
  const tFailure = useTranslations('failure')
  const tAlert = useTranslations('alerts')
  const alert = useAlertWords()
  const locale = useLocale()
  const numbers = new Intl.NumberFormat(locale)
  const memory = (bytes: number) => `${numbers.format(Math.round(bytes / 2 ** 20))} MiB`
  const seconds = (ms: number) => numbers.format(Math.max(1, Math.round(ms / 1_000)))
  const size = (of: { replicas: number; memoryBytes: number; cpuMillis: number }) =>
    t('size', {
      replicas: of.replicas,
      memory: memory(of.memoryBytes),
      cpu: numbers.format(of.cpuMillis / 1_000),
    })
  const sizes = ({ from, to }: { from: Size; to: Size }) =>
    resizes(from, to)
      .map((each) => {
        const words = `${size(each.from)} → ${size(each.to)}`
        return each.process === web ? words : `${each.process}: ${words}`
      })
      .join('; ')
  const replicaOf = ({ process, replica }: { process: string; replica: number }) =>
    process === web ? String(replica + 1) : t('replicaOf', { replica: replica + 1, process })
  const ended = ({ exitCode, signal }: { exitCode: number | null; signal: string | null }) => {
    if (signal !== null) return t('bySignal', { signal })
    return exitCode === null ? t('byUnknown') : t('byCode', { exitCode })
  }
  const plain = (title: string, detail: string | null = null) => ({ title, detail })

  switch (event.kind) {
    case 'app.created':
      return plain(t('kinds.app.created'), event.image)
    case 'app.started':
    case 'app.stopped':
      return plain(t(`kinds.${event.kind}`))
    case 'deployment.asked':
      if (event.followed)
        return plain(t('followedMoved', { number: event.number, tag: event.followed }), event.image)
      return event.toNumber === null
        ? plain(t('kinds.deployment.asked', { number: event.number }), event.image)
        : plain(t('rollbackAsked', { number: event.number, toNumber: event.toNumber }), event.image)
    case 'deployment.live':
      return plain(
        t('kinds.deployment.live', { number: event.number, seconds: seconds(event.tookMs) }),
        event.image,
      )
    case 'deployment.failed': {
      const { code } = event
      const why = isFailureCode(code) ? tFailure(`code.${code}.title`) : event.message
      return plain(t('kinds.deployment.failed', { number: event.number }), why)
    }
    case 'deployment.canceled':
    case 'deployment.superseded':
      return plain(t(`kinds.${event.kind}`, { number: event.number }))
    case 'deployment.rolled-back':
      return event.toNumber === null
        ? plain(t('rolledBack', { number: event.number }))
        : plain(t('kinds.deployment.rolled-back', { number: event.number, toNumber: event.toNumber }))
    case 'deployment.rolled-back-automatically': {
      const { number, fromNumber, toNumber } = event
      return plain(t(`kinds.${event.kind}`, { number, fromNumber, toNumber }))
    }
    case 'configuration.changed':
    case 'configuration.variables-changed':
      return plain(t(`kinds.${event.kind}`))
    case 'container.exited':
      return plain(t('kinds.container.exited', { replica: replicaOf(event) }), ended(event))
    case 'container.restarted':
      return plain(t('kinds.container.restarted', { replica: replicaOf(event), restarts: event.restarts }))
    case 'container.out-of-memory':
      return plain(
        t('kinds.container.out-of-memory', {
          replica: replicaOf(event),
          memory: memory(event.memoryBytes),
        }),
      )
    case 'container.crash-looping':
      return plain(
        t('kinds.container.crash-looping', {
          replica: replicaOf(event),
          exits: event.exits,
          seconds: seconds(event.withinMs),
        }),
        ended(event),
      )
    case 'run.failed': {
      const { number, name, reason } = event
      const known = runReasons.find((each) => each === reason)
      const why = known === undefined ? event.message : t(`runReason.${known}`)
      return plain(
        name === null ? t('kinds.run.failed', { number }) : t('cronJobFailed', { number, name }),
        why,
      )
    }
    case 'health.failing':
      return plain(t('kinds.health.failing', { replica: replicaOf(event) }), event.reason)
    case 'health.recovered':
      return plain(
        t('kinds.health.recovered', { replica: replicaOf(event) }),
        event.afterMs === null ? null : t('afterSeconds', { seconds: seconds(event.afterMs) }),
      )
    case 'alert.fired': {
      const { rule, value, about } = event
      const parts = [
        ...(about === null ? [] : [alert.about(about)]),
        ...(value === null ? [] : [alert.value(rule, value)]),
      ]
      return plain(
        t('kinds.alert.fired', { sentence: alert.sentence('app', event) }),
        parts.length === 0 ? null : parts.join(' · '),
      )
    }
    case 'alert.recovered': {
      const lasted = t('alertLasted', { time: alert.time(event.lastedMs / 1_000) })
      const { ending } = event
      return plain(
        t('kinds.alert.recovered', { sentence: alert.sentence('app', event) }),
        ending === 'recovered' ? lasted : `${lasted}. ${tAlert(`ending.${ending}`)}`,
      )
    }
    case 'certificate.issued':
      return plain(
        t(event.isRenewal ? 'certificateRenewed' : 'kinds.certificate.issued', { hostname: event.hostname }),
      )
    case 'certificate.failed':
      return plain(t('kinds.certificate.failed', { hostname: event.hostname }), event.message)
    case 'scaling.refused':
      return plain(t('kinds.scaling.refused'), `${sizes(event)}. ${event.reason}`)
    case 'scaling.changed':
      return plain(t('kinds.scaling.changed'), sizes(event))
    case 'recovery.mended':
      return plain(
        t(`causes.${event.cause}`),
        event.replica === null
          ? null
          : t('replica', { replica: replicaOf({ process: event.process, replica: event.replica }) }),
      )
  }
}
