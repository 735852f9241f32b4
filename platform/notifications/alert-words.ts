/** What an alert says, in the sentence that follows the name of its app or host. */
import type { AlertAbout, AlertEnding, AlertRuleName } from '../model/alerts.ts'
import { web } from '../model/processes.ts'

interface Fired {
  rule: AlertRuleName
  threshold: number
  forSeconds: number | null
  value: number | null
  about?: AlertAbout | null
}

interface Recovered extends Fired {
  lastedMs: number
  ending: AlertEnding
}

type Language = 'en' | 'zh-CN'

export function firedWords(facts: Fired, language: Language): string {
  return language === 'en' ? firedEnglish(facts) : firedChinese(facts)
}

export function recoveredWords(facts: Recovered, language: Language): string {
  return language === 'en' ? recoveredEnglish(facts) : recoveredChinese(facts)
}

/** The one or the other, of a host. */
export function hostAlertSentence(facts: Fired | Recovered, language: Language): string {
  return 'ending' in facts ? recoveredWords(facts, language) : firedWords(facts, language)
}

function firedEnglish({ rule, threshold, forSeconds, value, about }: Fired): string {
  const now = value === null ? '' : ` (${shown(value)} %)`
  const of = about === undefined || about === null ? '' : ` of ${whose(about)}`
  const lasting = `more than ${threshold} % for ${spell(forSeconds)}${now}`
  switch (rule) {
    case 'cpu':
      return `the processors${of} are used ${lasting}`
    case 'memory':
      return `the memory${of} is used ${lasting}`
    case 'disk':
      return `${of === '' ? 'the disk' : `the ${whose(about)}`} is full to ${lasting}`
    case 'restarts':
      return `was started again ${value ?? threshold} times within ${spell(forSeconds)}`
    case 'errors':
      return `more than ${threshold} % of the requests within ${spell(forSeconds)} failed (5xx)${now}`
    case 'latency':
      return `the p95 latency within ${spell(forSeconds)} is above ${threshold} ms${value === null ? '' : ` (${shown(value)} ms)`}`
    case 'certificate':
      return `the certificate of ${hostOf(about)} ends in ${shown(Math.max(0, value ?? threshold))} days`
    case 'silent':
      return `has not reported for ${shown(value ?? threshold)} min`
  }
}

const topics: Record<AlertRuleName, [english: string, chinese: string]> = {
  cpu: ['the use of processors', 'CPU 使用率'],
  memory: ['the use of memory', '内存使用率'],
  disk: ['the use of the disk', '磁盘使用率'],
  restarts: ['restarts', '重启'],
  errors: ['failed requests', '请求失败'],
  latency: ['the latency', '延迟'],
  certificate: ['the certificate', '证书'],
  silent: ['its silence', '失联'],
}

function recoveredEnglish({ rule, lastedMs, ending }: Recovered): string {
  const after = `after ${spell(lastedMs / 1_000)}`
  const alert = `the alert about ${topics[rule][0]}`
  switch (ending) {
    case 'recovered':
      return rule === 'silent' ? `reports again, ${after}` : `${alert} is over, ${after}`
    case 'switched-off':
      return `${alert} was switched off, ${after}`
    case 'app-stopped':
      return `${alert} is over, since the app was stopped`
    case 'nothing-left':
      return `${alert} is over, since what it was about is gone`
  }
}

function firedChinese({ rule, threshold, forSeconds, value, about }: Fired): string {
  const now = value === null ? '' : `（${shown(value)}%）`
  const of = about === undefined || about === null ? '' : `${whoseInChinese(about)} 的 `
  const lasting = `超过 ${threshold}%，已持续 ${spellInChinese(forSeconds)}${now}`
  switch (rule) {
    case 'cpu':
      return `${of}CPU 使用率${lasting}`
    case 'memory':
      return `${of}内存使用率${lasting}`
    case 'disk':
      return `${of}磁盘使用率${lasting}`
    case 'restarts':
      return `${spellInChinese(forSeconds)}内重启了 ${value ?? threshold} 次`
    case 'errors':
      return `${spellInChinese(forSeconds)}内超过 ${threshold}% 的请求失败（5xx）${now}`
    case 'latency':
      return `${spellInChinese(forSeconds)}内 P95 延迟超过 ${threshold} 毫秒${value === null ? '' : `（${shown(value)} 毫秒）`}`
    case 'certificate':
      return `${hostOf(about)} 的证书将在 ${shown(Math.max(0, value ?? threshold))} 天后到期`
    case 'silent':
      return `已有 ${shown(value ?? threshold)} 分钟没有上报`
  }
}

function recoveredChinese({ rule, lastedMs, ending }: Recovered): string {
  const alert = `${topics[rule][1]}告警`
  switch (ending) {
    case 'recovered':
      return `${rule === 'silent' ? '已重新上报' : `${alert}已恢复`}，持续 ${spellInChinese(lastedMs / 1_000)}`
    case 'switched-off':
      return `${alert}已关闭，持续 ${spellInChinese(lastedMs / 1_000)}`
    case 'app-stopped':
      return `应用已停止，${alert}结束`
    case 'nothing-left':
      return `对象已不存在，${alert}结束`
  }
}

function whose(about: AlertAbout | null | undefined): string {
  if (about === null || about === undefined) return 'disk'
  if ('volume' in about) return `volume ${about.volume}`
  if ('hostname' in about) return about.hostname
  const replica = `replica ${about.replica + 1}`
  return about.process === web ? replica : `${replica} of ${about.process}`
}

function whoseInChinese(about: AlertAbout): string {
  if ('volume' in about) return `卷 ${about.volume}`
  if ('hostname' in about) return about.hostname
  const replica = `副本 ${about.replica + 1}`
  return about.process === web ? replica : `${about.process} 的${replica}`
}

const hostOf = (about: AlertAbout | null | undefined) =>
  about !== null && about !== undefined && 'hostname' in about ? about.hostname : '?'

function shown(value: number): string {
  return String(value >= 10 ? Math.round(value) : Math.round(value * 10) / 10)
}

function partsOf(seconds: number | null): { days: number; hours: number; minutes: number } {
  const all = Math.max(1, Math.round((seconds ?? 0) / 60))
  return { days: Math.floor(all / 1_440), hours: Math.floor((all % 1_440) / 60), minutes: all % 60 }
}

/** Such as `2 h 5 min`; less than a minute is one. */
function spell(seconds: number | null): string {
  const { days, hours, minutes } = partsOf(seconds)
  const parts = [
    [days, 'd'],
    [hours, 'h'],
    [minutes, 'min'],
  ]
  return parts.flatMap(([count, unit]) => (count === 0 ? [] : [`${count} ${unit}`])).join(' ')
}

function spellInChinese(seconds: number | null): string {
  const { days, hours, minutes } = partsOf(seconds)
  const parts = [
    [days, '天'],
    [hours, '小时'],
    [minutes, '分钟'],
  ]
  return parts.flatMap(([count, unit]) => (count === 0 ? [] : [`${count} ${unit}`])).join(' ')
}
