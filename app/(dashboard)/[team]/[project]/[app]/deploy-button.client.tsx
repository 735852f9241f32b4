'use client'

import { Rocket } from 'lucide-react'
import { useRouter } from 'next/navigation'
import { useTranslations } from 'next-intl'
import { deployAction } from '../../../../_actions/deployments.ts'
import { Button } from '../../../../_ui/button.tsx'
import { useAction } from '../../../../_ui/use-action.ts'

interface DeployButtonProps {
  appId: string
  isDeployed: boolean
  /** Of the app, where one watches the deployment. */
  path: string
}

/** Deploys the app as it is set now. */
export function DeployButton({ appId, isDeployed, path }: DeployButtonProps) {
  const t = useTranslations('app')
  const router = useRouter()
  const { run, pending } = useAction()
  return (
    <Button
      tone="primary"
      pending={pending}
      onClick={() => run(() => deployAction(appId), { onDone: () => router.push(path) })}
    >
      <Rocket aria-hidden />
      {isDeployed ? t('redeploy') : t('deploy')}
    </Button>
  )
}
