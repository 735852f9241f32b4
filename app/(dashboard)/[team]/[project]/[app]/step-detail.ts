import { useLocale, useTranslations } from 'next-intl'
import { type DeploymentStep, stepFacts } from '@/platform/model/deployment-step.ts'
import { hasFacts } from '@/platform/model/facts.ts'
import { formatBytes } from '../../../../_ui/format.ts'

/** What a step found, in the reader's language; in the worker's own sentence where that knew other facts. */
export function useStepDetail(): (step: DeploymentStep) => string | null {
  const locale = useLocale()
  const t = useTranslations('step.detail')
  return ({ name, detail, facts }) => {
    const needed = stepFacts[name]
    if (needed === null || !hasFacts(facts, needed)) return detail
    switch (name) {
      case 'pull':
        return t('pull', { layers: Number(facts.layers), size: formatBytes(Number(facts.sizeBytes), locale) })
      case 'check':
        return facts.ports === '' ? t('stands') : t('check', { ports: String(facts.ports) })
      default:
        return detail
    }
  }
}
