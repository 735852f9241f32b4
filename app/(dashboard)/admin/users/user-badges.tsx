import { Ban, ShieldCheck, Wrench } from 'lucide-react'
import { useTranslations } from 'next-intl'
import type { ManagedUser } from '@/platform/model/administration.ts'
import { Badge } from '../../../_ui/badge.tsx'

/** What is out of the ordinary about an account. */
export function UserBadges({
  user,
}: {
  user: Pick<ManagedUser, 'isAdmin' | 'suspendedAt' | 'hasTwoFactor'>
}) {
  const t = useTranslations('admin')
  return (
    <>
      {user.isAdmin && (
        <Badge tone="accent">
          <Wrench aria-hidden />
          {t('administrator')}
        </Badge>
      )}
      {user.hasTwoFactor && (
        <Badge tone="success">
          <ShieldCheck aria-hidden />
          {t('twoFactor')}
        </Badge>
      )}
      {user.suspendedAt !== null && (
        <Badge tone="danger">
          <Ban aria-hidden />
          {t('suspended')}
        </Badge>
      )}
    </>
  )
}
