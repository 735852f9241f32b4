'use client'

import { Menu, X } from 'lucide-react'
import { usePathname } from 'next/navigation'
import { useTranslations } from 'next-intl'
import { type ReactNode, useState } from 'react'
import { Button } from '../_ui/button.tsx'
import { ModalClose, Sheet } from '../_ui/dialog.client.tsx'

export function MobileNav({ children }: { children: ReactNode }) {
  const t = useTranslations('shell')
  const path = usePathname()
  // Open on one page only: following a link closes it.
  const [openOn, setOpenOn] = useState<string | null>(null)
  return (
    <Sheet
      open={openOn === path}
      onOpenChange={(open) => setOpenOn(open ? path : null)}
      title={t('navigation')}
      trigger={
        <Button tone="ghost" size="icon" aria-label={t('openNavigation')}>
          <Menu aria-hidden />
        </Button>
      }
    >
      <ModalClose
        render={<Button tone="ghost" size="icon" aria-label={t('closeNavigation')} />}
        className="absolute top-3 right-3"
      >
        <X aria-hidden />
      </ModalClose>
      {children}
    </Sheet>
  )
}
