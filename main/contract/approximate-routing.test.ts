import { expect, test } from 'vitest';
import { routingAgreement } from './approximate-routing.ts';

test('agreement is the share of uses that are no substitutes', () => {
  expect(routingAgreement({ hits: 90, missesFromRam: 6, missesFromDisk: 4, substitutes: 25 })).toBe(0.75);
  expect(routingAgreement({ hits: 7, missesFromRam: 0, missesFromDisk: 0, substitutes: 0 })).toBe(1);
  expect(routingAgreement({ hits: 0, missesFromRam: 0, missesFromDisk: 0, substitutes: 0 })).toBeNull();
});
