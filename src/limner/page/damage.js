// The brush over the photograph. What is drawn goes to the program as a stroke, in parts of the photograph's width and
// height, and is shown at once; the brush stays as it is when another photograph is shown.
const RED = "rgb(224, 0, 0)";
let rub = false, width = 15, stroke = null;

const canvas = () => element.querySelector("canvas");
const longer = (which) => Math.max(which.width, which.height);

function drawn(one, from = 0) {
    const on = one.on, pen = on.getContext("2d"), points = one.points.slice(Math.max(from - 1, 0));
    pen.globalCompositeOperation = one.rub ? "destination-out" : "source-over";
    pen.strokeStyle = RED;
    pen.lineWidth = Math.max(1, one.width * longer(on));
    pen.lineCap = pen.lineJoin = "round";
    pen.beginPath();
    points.forEach(([x, y], place) => pen[place ? "lineTo" : "moveTo"](x * on.width, y * on.height));
    if (points.length === 1) pen.lineTo(points[0][0] * on.width, points[0][1] * on.height);
    pen.stroke();
}

function put(point) {  // the brush down, or on
    const on = canvas();
    if (!stroke) stroke = {on, points: [], width: width / 1000, rub, photo: on.dataset.photo};
    const last = stroke.points.at(-1), near = stroke.width / 8;
    if (last && Math.hypot(point[0] - last[0], point[1] - last[1]) < near) return;
    stroke.points.push(point);
    drawn(stroke, stroke.points.length - 1);
}

function lift() {
    if (!stroke) return;
    const {on, ...one} = stroke;
    stroke = null;
    trigger("submit", {...one, at: Date.now()});
}

function placeOf(event) {
    const box = canvas().getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
}

function tipTo([x, y]) {
    const tip = element.querySelector(".tip"), on = canvas(), box = on.getBoundingClientRect();
    const across = Math.max(2, width / 1000 * longer(box));
    Object.assign(tip.style, {left: `${100 * x}%`, top: `${100 * y}%`, width: `${across}px`, height: `${across}px`});
    tip.hidden = false;
    on.dataset.at = `${x} ${y}`;
}

function say() {
    const [x, y] = canvas().dataset.at.split(" ").map((one) => Math.round(100 * Number(one)));
    element.querySelector("output").textContent =
        `The brush is ${stroke ? "down" : "up"}, ${x} % across and ${y} % down.`;
}

function byKey(event) {
    const step = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]}[event.key];
    const on = canvas(), at = (on.dataset.at ?? "0.5 0.5").split(" ").map(Number);
    if (step) {
        const far = (event.shiftKey ? 4 : 0.5) * width / 1000 * longer(on);
        const to = [at[0] + step[0] * far / on.width, at[1] + step[1] * far / on.height];
        tipTo(to.map((one) => Math.min(Math.max(one, 0), 1)));
        if (stroke) put(on.dataset.at.split(" ").map(Number));
    } else if (event.key === " " || event.key === "Enter") {
        tipTo(at);
        if (stroke) lift(); else put(at);
    } else if (event.key === "Escape") lift();
    else return;
    event.preventDefault();
    say();
}

function begin() {
    lift();  // what was being drawn when the section was shown anew
    const on = canvas();
    if (!on) return;
    element.querySelectorAll("input[name=tool]").forEach((one) => { one.checked = (one.value === "rub") === rub; });
    element.querySelector("input[name=width]").value = width;
    if (on.dataset.marks) {
        const marks = new Image();
        marks.onload = () => on.getContext("2d").drawImage(marks, 0, 0, on.width, on.height);
        marks.src = on.dataset.marks;
    }
}

element.addEventListener("input", (event) => {
    if (event.target.name === "tool") rub = event.target.value === "rub";
    if (event.target.name === "width") width = Number(event.target.value);
});
element.addEventListener("pointerdown", (event) => {
    if (event.target !== canvas() || event.button) return;
    event.target.setPointerCapture(event.pointerId);
    tipTo(placeOf(event));
    put(placeOf(event));
});
element.addEventListener("pointermove", (event) => {
    if (event.target !== canvas()) return;
    tipTo(placeOf(event));
    if (stroke && event.buttons) (event.getCoalescedEvents?.() ?? [event]).forEach((one) => put(placeOf(one)));
});
for (const end of ["pointerup", "pointercancel", "focusout"])
    element.addEventListener(end, (event) => { if (event.target === canvas()) lift(); });
element.addEventListener("keydown", (event) => { if (event.target === canvas()) byKey(event); });
watch("value", begin);
begin();
