-- AlterTable
ALTER TABLE "sign_in_providers" ADD COLUMN     "allowsPrivate" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "linksByEmail" BOOLEAN NOT NULL DEFAULT false;

-- AlterTable
ALTER TABLE "link_requests" ADD COLUMN     "locale" TEXT;

-- CreateTable
CREATE TABLE "mails" (
    "id" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "recipient" TEXT NOT NULL,
    "sealed" TEXT,
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expiresAt" TIMESTAMP(3) NOT NULL,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "nextAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "sentAt" TIMESTAMP(3),
    "failure" TEXT,

    CONSTRAINT "mails_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "mails_nextAt_idx" ON "mails"("nextAt");
