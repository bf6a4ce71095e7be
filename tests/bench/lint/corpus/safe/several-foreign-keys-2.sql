CREATE TABLE pools (id bigint PRIMARY KEY);
CREATE TABLE labels (id bigint PRIMARY KEY);
CREATE TABLE pool_labels (
    pool_id bigint NOT NULL REFERENCES pools,
    label_id bigint NOT NULL REFERENCES labels,
    PRIMARY KEY (pool_id, label_id)
);
CREATE INDEX pool_labels_label_id ON pool_labels (label_id);
