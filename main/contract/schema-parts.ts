/** What schemas of many requests are made of. */
import * as v from 'valibot';

export const id = v.pipe(v.string(), v.minLength(1), v.maxLength(200));
export const empty = v.strictObject({});
export const hasText = v.check((text: string) => text.trim() !== '', 'there is no text in it');

export function wholeNumber(least: number, most: number) {
  return v.pipe(v.number(), v.integer(), v.minValue(least), v.maxValue(most));
}

/** The values with which words are chosen: from a page, from a model's file. */
export const SAMPLING_SCHEMAS = {
  temperature: v.pipe(v.number(), v.minValue(0), v.maxValue(10)),
  topK: wholeNumber(0, 256),
  topP: v.pipe(v.number(), v.gtValue(0), v.maxValue(1)),
  minP: v.pipe(v.number(), v.minValue(0), v.ltValue(1)),
};
