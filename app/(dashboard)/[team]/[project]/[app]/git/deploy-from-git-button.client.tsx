'use client'

import { Rocket } from 'lucide-react'
import { useRouter } from 'next/navigation'
import { useTranslations } from 'next-intl'
import { deployFromGitAction } from '../../../../../_actions/git.ts'
import { Button } from '../../../../../_ui/button.tsx'
import { useAction } from '../../../../../_ui/use-action.ts'

/** Fetches, builds and deploys what is there now. */
export function DeployFromGitButton({ appId, path }: { appId: string; path: string }) {
  const t = useTranslations('git')
  const router = useRouter()
  const { run, pending } = useAction()
  return (
    <Button
      tone="primary"
      pending={pending}
      onClick={() =>
        run(() => deployFromGitAction(appId), {
          onDone: ({ number }) => router.push(`${path}/deployments/${number}`),
        })
      }
    >
      <Rocket aria-hidden />
      {t('deploy')}
    </Button>
  )
}
