'use client'

import { Rocket } from 'lucide-react'
import { useRouter } from 'next/navigation'
import { useTranslations } from 'next-intl'
import { deployAction } from '../../../../_actions/deployments.ts'
import { Button } from '../../../../_ui/button.tsx'
import { ConfirmDialog } from '../../../../_ui/confirm-dialog.client.tsx'
import { useAction } from '../../../../_ui/use-action.ts'

interface DeployButtonProps {
  appId: string
  isDeployed: boolean
  /** Nothing answers for a moment: that is said first. */
  hasGap?: boolean
  /** Of the app, where one watches the deployment. */
  path: string
}

/** Deploys the app as it is set now. */
export function DeployButton({ appId, isDeployed, hasGap = false, path }: DeployButtonProps) {
  const t = useTranslations('app')
  const tDeployments = useTranslations('deployments')
  const router = useRouter()
  const { run, pending } = useAction()
  const label = isDeployed ? t('redeploy') : t('deploy')
  const watch = () => router.push(path)
  if (hasGap)
    return (
      <ConfirmDialog
        title={t('deployGapTitle')}
        description={tDeployments('gap')}
        confirmLabel={label}
        tone="primary"
        action={() => deployAction(appId)}
        onDone={watch}
        trigger={
          <Button tone="primary">
            <Rocket aria-hidden />
            {label}
          </Button>
        }
      />
    )
  return (
    <Button
      tone="primary"
      pending={pending}
      onClick={() => run(() => deployAction(appId), { onDone: watch })}
    >
      <Rocket aria-hidden />
      {label}
    </Button>
  )
}
