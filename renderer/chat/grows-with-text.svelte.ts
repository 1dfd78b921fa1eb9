/** A textarea as high as its text. The height is set through the style object, which a strict content policy allows. */
export function growsWithText(text: () => string): (area: HTMLTextAreaElement) => () => void {
  return (area) => {
    let lastWidthPx = -1;
    const fit = (): void => {
      area.style.height = 'auto';
      area.style.height = `${area.scrollHeight}px`;
    };
    $effect(() => {
      void text();
      fit();
    });
    const width = new ResizeObserver(([entry]) => {
      if (entry.contentRect.width !== lastWidthPx) fit();
      lastWidthPx = entry.contentRect.width;
    });
    width.observe(area);
    return () => width.disconnect();
  };
}
