-- AlterTable
ALTER TABLE "runs" ADD COLUMN     "isAttached" BOOLEAN NOT NULL DEFAULT false;
